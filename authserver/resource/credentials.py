"""Which token does a request bring, and may it be believed? From `Authorization: Bearer`, or from the token cookie.

RFC 6750 §2.1. With both, the header wins: it was put there by code, the cookie by habit. A cookie on an unsafe request
is believed only when no other site can have made the browser send it (`csrf`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from authserver.resource.cookies import read_cookie
from authserver.resource.csrf import cross_site
from authserver.resource.refusal import Reason, Refusal

_CSRF_HEADERS: Final = ("origin", "host", "sec-fetch-site")


class RequestView(Protocol):
    """What a guard needs to see of a request."""

    @property
    def method(self) -> str: ...

    def header_values(self, name: str) -> Sequence[str]:
        """Every value of the header `name` (lower case), in order."""
        ...


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A RequestView for callers without a framework. Header names in lower case."""

    method: str
    headers: Mapping[str, str]

    def header_values(self, name: str) -> Sequence[str]:
        return (self.headers[name],) if name in self.headers else ()


@dataclass(frozen=True, slots=True)
class Credentials:
    """Finds the token: under which cookie names, and on the word of which other origins' pages."""

    token_cookies: tuple[str, ...]
    allowed_origins: frozenset[str]

    def find(self, request: RequestView) -> str | Refusal:
        """The token as it was sent, unverified; or why there is none to look at."""
        headers = request.header_values("authorization")
        if len(headers) > 1:  # two readers may believe two different ones
            return Refusal(Reason.MALFORMED, "more than one Authorization header")
        scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
        if scheme.lower() == "bearer":
            return token or Refusal(Reason.MALFORMED, "Authorization: Bearer without a token")
        return self._find_in_cookies(request)

    def _find_in_cookies(self, request: RequestView) -> str | Refusal:
        headers = request.header_values("cookie")
        found = (
            read_cookie(headers, name) for name in self.token_cookies
        )  # `__Host-` first: it is harder to plant
        token = next((value for value in found if value is not None), None)
        if token is None:
            return Refusal(Reason.MISSING)
        seen = {name: ", ".join(values) for name in _CSRF_HEADERS if (values := request.header_values(name))}
        if cross_site(request.method, seen, self.allowed_origins):
            return Refusal(Reason.FORGED_REQUEST, "a cookie sent by another site's page")
        return token
