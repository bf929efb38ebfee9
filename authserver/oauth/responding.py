"""The authorization response: to the client's redirect URI, as a query or as a form (OAuth 2.0 Form Post §2).

`iss` stands in every one, success or error (RFC 9207: who mixes two servers up sends a code to the wrong one), and
`state` exactly as it came. 303, never 307: what was typed here must not be sent on (RFC 9700 §4.12).
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authserver.oauth.authorization_request import WayBack
from authserver.oauth.errors import Problem
from authserver.web.answers import Answers
from authserver.web.policy_source import source_of

FORM_POST: Final = "form_post"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action {origin}; "
    "frame-ancestors 'none'; base-uri 'none'"
)


class Responding:
    """Writes authorization responses."""

    def __init__(self, answers: Answers, issuer: str) -> None:
        self._answers = answers
        self._issuer = issuer

    def code(self, request: Request, back: WayBack, code: str) -> Response:
        return self._write(request, back, {"code": code})

    def problem(self, request: Request, back: WayBack, problem: Problem) -> Response:
        return self._write(request, back, {"error": problem.error, "error_description": problem.description})

    def _write(self, request: Request, back: WayBack, values: Mapping[str, str]) -> Response:
        state = {} if back.state is None else {"state": back.state}
        fields = {**values, **state, "iss": self._issuer}
        if back.mode == FORM_POST:
            return self._form(request, back.redirect_uri, fields)
        joint = "&" if urlsplit(back.redirect_uri).query else "?"
        return RedirectResponse(f"{back.redirect_uri}{joint}{urlencode(fields)}", 303)

    def _form(self, request: Request, target: str, fields: Mapping[str, str]) -> Response:
        page = self._answers.page(request, "form_post.html", target=target, fields=fields)
        page.headers["content-security-policy"] = POLICY.format(origin=source_of(target))
        return page
