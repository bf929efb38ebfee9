"""Was this request made by one of our own pages? Two independent answers, and both must be yes.

1. By the browser: `Origin` and `Sec-Fetch-Site` (resource/csrf.py). A JSON body may do without them: no page of
   another site can send that media type without asking first (CORS), and a program that is no browser has no cookies
   of a person's.
2. By the form: a token that only a page of ours could show, because it is made from a cookie's value that no script
   can read. Before sign-in the cookie is `__Host-form`, afterwards the session's own (login CSRF: SECURITY O31).
"""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from typing import Any

from starlette.requests import Request

from authserver.resource.csrf import cross_site
from authserver.web.body import is_json


class CrossSite(Exception):
    """The request was not made by a page of ours, or by one that is long gone."""


def form_token(secret: str) -> str:
    """Derive the token of the forms that are shown to the holder of this cookie."""
    digest = hmac.new(secret.encode(), b"authserver form", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Csrf:
    """The check that every unsafe request passes before anything is done with it."""

    def __init__(self, own_origin: str, allowed_origins: Collection[str]) -> None:
        self._own = frozenset({own_origin})
        self._allowed = frozenset({own_origin, *allowed_origins})

    def check(self, request: Request, fields: Mapping[str, Any], secret: str | None) -> None:
        """Refuse a request of another site.

        :param secret: the value of the cookie that its form token would be made from.
        :raises CrossSite: a check failed.
        """
        if is_json(request):
            if _says_where_from(request) and cross_site(request.method, request.headers, self._allowed):
                raise CrossSite("origin")
            return
        if cross_site(request.method, request.headers, self._own):
            raise CrossSite("origin")
        token = fields.get("form_token")
        if not secret or not isinstance(token, str) or not _same(token, form_token(secret)):
            raise CrossSite("form token")


def _says_where_from(request: Request) -> bool:
    return "origin" in request.headers or "sec-fetch-site" in request.headers


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())
