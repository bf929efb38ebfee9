"""Answers for people and for programs: a localized page, or JSON with a localized `message`.

Who asks with JSON, or accepts JSON and not HTML, is a program.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from authserver.web.body import is_json
from authserver.web.localization import LOCALES, NAMES, Catalogs, negotiate
from authserver.web.templating import Templates


class Answers:
    """Renders in the reader's language."""

    def __init__(self, templates: Templates, catalogs: Catalogs) -> None:
        self._templates = templates
        self._catalogs = catalogs

    def locale(self, request: Request) -> str:
        """`ui_locales` (OIDC Core §3.1.2.1) wins over the browser's own list."""
        return negotiate(request.query_params.get("ui_locales"), request.headers.get("accept-language"))

    def say(self, request: Request, message: str, **values: object) -> str:
        return self._catalogs.gettext(self.locale(request), message) % values

    def page(self, request: Request, name: str, /, status: int = 200, **context: object) -> Response:
        locale = self.locale(request)
        links = _locale_links(request, locale)
        response = HTMLResponse(
            self._templates.render(name, locale, locale_links=links, status=status, **context), status
        )
        return _in_language(response, locale)

    def json(
        self,
        request: Request,
        message: str,
        /,
        status: int = 200,
        values: Mapping[str, object] = MappingProxyType({}),
        facts: Mapping[str, object] = MappingProxyType({}),
    ) -> Response:
        """Answer `message` in the reader's language, with `values` in its placeholders, and more facts beside it."""
        body = {"message": self.say(request, message, **values), **facts}
        return _in_language(JSONResponse(body, status), self.locale(request))

    @staticmethod
    def redirect(target: str) -> Response:
        """303: what follows is a GET, whatever this was (RFC 9110 §15.4.4)."""
        return RedirectResponse(target, 303)


def for_program(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return is_json(request) or ("application/json" in accept and "text/html" not in accept)


def _in_language(response: Response, locale: str) -> Response:
    response.headers["content-language"] = locale
    response.headers["vary"] = "Accept-Language, Accept, Cookie"
    return response


def _locale_links(request: Request, current: str) -> list[dict[str, object]]:
    """Links to this page in each language; the answer to a form is shown again by its own GET.

    A query alone: a browser resolves it against the page that it shows, whatever hostile path that has.
    """
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "ui_locales"]
    return [
        {
            "locale": locale,
            "name": NAMES[locale],
            "href": f"?{urlencode([*asked, ('ui_locales', locale)])}",
            "current": locale == current,
        }
        for locale in LOCALES
    ]
