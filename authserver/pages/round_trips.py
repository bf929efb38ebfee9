"""What would send a browser round between an app and the sign-in for ever, and is said to the person instead.

`/verify` sends a page without a token to the sign-in; the sign-in sends whoever has a session straight back, with a new
token. If the app does not see that one either, nobody ever sees a page. What can be known beforehand is said at once:

- the browser sends two cookies of that name, and neither is believed (`planted_cookies.py`)
- the token is longer than what browsers keep, 4096 bytes with the cookie's name (RFC 6265bis §5.7)
- the cookie is SameSite=Strict and a link on another site began it all: it is not sent until the person has clicked
  here. Not by itself, or the setting would be worth nothing

Whatever else there may be (a full cookie jar, an odd browser) ends at the fourth time within seconds. That is counted
in a cookie of the browser's own, for one address at a time: people come back with many tabs at once.
"""

import hashlib
import re
from datetime import timedelta
from enum import StrEnum
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from authserver.pages.planted_cookies import sent_twice
from authserver.protocol.cookies import TRIPS
from authserver.resource.cookies import read_cookie
from authserver.tokens.access import AccessToken
from authserver.web.cookies import Cookies

KEPT_BY_BROWSERS: Final = 4_096
STRICT: Final = "strict"
MOST_TRIPS: Final = 3
FORGOTTEN_AFTER: Final = timedelta(seconds=10)
COUNTED: Final = re.compile(r"([0-9])\.([0-9a-f]{16})")


class Trouble(StrEnum):
    """Why going on would lead straight back."""

    TWICE = "twice"
    TOO_LONG = "too_long"
    FROM_ELSEWHERE = "from_elsewhere"
    ROUND = "round"


class RoundTrips:
    """Decides whether a browser that has a session may be sent on to an app."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def trouble(self, request: Request, app: str, token: AccessToken, *, twice: bool) -> Trouble | None:
        """Answer why not; `twice` is what `/verify` saw, to which other cookies may be sent than to us."""
        cookies = self._cookies
        if twice or sent_twice(request.headers.getlist("cookie"), cookies.token_name):
            return Trouble.TWICE
        if len(cookies.token_name) + len(token.value) > KEPT_BY_BROWSERS:
            return Trouble.TOO_LONG
        if cookies.token_samesite == STRICT and request.headers.get("sec-fetch-site") == "cross-site":
            return Trouble.FROM_ELSEWHERE
        return Trouble.ROUND if _trips(request, app) >= MOST_TRIPS else None

    @staticmethod
    def count(request: Request, response: Response, app: str) -> None:
        """Note in the browser that it was sent there once more."""
        trips = min(_trips(request, app) + 1, MOST_TRIPS)
        response.set_cookie(
            TRIPS,
            f"{trips}.{_digest(app)}",
            max_age=int(FORGOTTEN_AFTER.total_seconds()),
            path="/",
            secure=True,
            httponly=True,
            samesite="lax",
        )


def _trips(request: Request, app: str) -> int:
    counted = COUNTED.fullmatch(read_cookie(request.headers.getlist("cookie"), TRIPS) or "")
    return int(counted[1]) if counted and counted[2] == _digest(app) else 0


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:16]
