"""Where a request comes from. A proxy's word for it is taken by the server below (`--forwarded-allow-ips`), not here."""

from typing import Final

from starlette.requests import Request
from starlette.types import Scope

from authserver.accounts.throttling import network
from authserver.sessions.sign_in import Browser
from authserver.web.cookies import Cookies

LONGEST_ADDRESS: Final = 45  # IPv6 with an IPv4 tail
LONGEST_USER_AGENT: Final = 255


def address(request: Request) -> str:
    return request.client.host[:LONGEST_ADDRESS] if request.client else "unknown"


def neighbourhood(scope: Scope) -> str:
    """Answer what shares room with others of its kind: an IPv4 address, or an IPv6 /64, which is what one customer has."""
    client = scope.get("client")
    return network(client[0]).hex() if client else ""


def browser(request: Request, cookies: Cookies) -> Browser:
    return Browser(
        address=address(request),
        user_agent=_printable(request.headers.get("user-agent", ""))[:LONGEST_USER_AGENT] or None,
        session_secret=cookies.session(request),
        device_secret=cookies.device(request),
    )


def _printable(text: str) -> str:
    """PostgreSQL takes no NUL, and a page or a terminal should get no control character."""
    return "".join(character for character in text[: 4 * LONGEST_USER_AGENT] if character.isprintable())
