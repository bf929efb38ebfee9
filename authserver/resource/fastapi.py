"""The guard for FastAPI: `user: Annotated[Principal, Depends(guard)]`.

In sync and async routes and on WebSockets alike; the scheme and the scopes of each route appear in /openapi.json.
Refusals are answered as RFC 6750 wants them, with `{"error", "message"}` in the reader's language. An application
that handles HTTPException or RequestRefused itself keeps doing so.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import HTTPException, Security
from fastapi.exception_handlers import http_exception_handler
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse

from authserver.resource import guard as core
from authserver.resource.messages import Language, message, preferred_language
from authserver.resource.principal import Principal
from authserver.resource.refusal import Refusal, www_authenticate

__all__ = ["Guard", "Principal", "RequestRefused"]

_RETRY_AFTER: Final = "5"


class RequestRefused(HTTPException):
    """A refusal on its way out. `refusal.detail` is for the log."""

    def __init__(self, refusal: Refusal, *, realm: str, language: Language) -> None:
        self.refusal = refusal
        self.body = {
            "error": refusal.error or refusal.reason.value,
            "message": message(refusal.reason, language),
        }
        super().__init__(refusal.status, detail=self.body, headers=_headers(refusal, realm))


class Guard(core.Guard, SecurityBase):
    """See `authserver.resource.guard.Guard` for what it takes and does."""

    def __init__(self, issuer: str, *, audience: str | Collection[str], **settings: Any) -> None:
        super().__init__(issuer, audience=audience, **settings)
        self.model = HTTPBearer(bearerFormat="JWT", description=f"An access token of {issuer}")
        self.scheme_name = "access_token"

    async def __call__(self, connection: HTTPConnection, security_scopes: SecurityScopes) -> Principal:
        """The principal with the scopes that the route asks for, or RequestRefused."""
        outcome = await self.authenticate_async(_View(connection))
        if isinstance(outcome, Principal):
            outcome = core.Requirement(frozenset(security_scopes.scopes)).judge(outcome)
        return self._admit(connection, outcome)

    def require(self, *scopes: str, role: str | Collection[str] = ()) -> Callable[..., Awaitable[Principal]]:
        """A dependency: all of `scopes`, and `role` (or one of several)."""
        roles = frozenset((role,) if isinstance(role, str) else role)

        async def required(
            connection: HTTPConnection, principal: Annotated[Principal, Security(self, scopes=scopes)]
        ) -> Principal:
            return self._admit(connection, core.Requirement(frozenset(scopes), roles).judge(principal))

        return required

    def _admit(self, connection: HTTPConnection, outcome: Principal | Refusal) -> Principal:
        if isinstance(outcome, Principal):
            return outcome
        _answer_in_our_form(connection)
        language = preferred_language(connection.headers.get("accept-language"))
        raise RequestRefused(outcome, realm=self.realm, language=language)


@dataclass(frozen=True, slots=True)
class _View:
    connection: HTTPConnection

    @property
    def method(self) -> str:
        """A WebSocket handshake has none; it is not one of the safe ones either."""
        return str(self.connection.scope.get("method", "WEBSOCKET"))

    def header_values(self, name: str) -> Sequence[str]:
        return self.connection.headers.getlist(name)


def _headers(refusal: Refusal, realm: str) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    challenge = www_authenticate(refusal, realm=realm, description=message(refusal.reason))
    if challenge is not None:
        headers["WWW-Authenticate"] = challenge
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER
    return headers


def _answer_in_our_form(connection: HTTPConnection) -> None:
    """FastAPI's own handler would wrap the body in "detail". Handlers live on the application, which a dependency
    first meets here; only where nobody chose otherwise does ours go in.
    """
    by_class, _ = connection.scope.get("starlette.exception_handlers", ({}, {}))
    if by_class.get(StarletteHTTPException) is http_exception_handler:
        by_class.setdefault(RequestRefused, _render)


async def _render(_request: Request, refused: Exception) -> JSONResponse:
    if not isinstance(refused, RequestRefused):
        raise refused
    return JSONResponse(refused.body, refused.status_code, refused.headers)
