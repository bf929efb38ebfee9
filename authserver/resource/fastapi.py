"""The guard for FastAPI: `user: Annotated[Principal, Depends(guard)]`.

In sync and async routes and on WebSockets alike; the scheme and the scopes of each route appear in /openapi.json.
Refusals are answered as RFC 6750 wants them, with `{"error", "message"}` in the reader's language. An application
that handles HTTPException or RequestRefused itself keeps doing so.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Annotated, Any

from fastapi import HTTPException, Security
from fastapi.exception_handlers import http_exception_handler
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from authserver.resource import guard as core
from authserver.resource.answer import Answer
from authserver.resource.asgi import AsgiRequest
from authserver.resource.principal import Principal
from authserver.resource.refusal import Refusal

__all__ = ["Guard", "Principal", "RequestRefused"]


class RequestRefused(HTTPException):
    """A refusal on its way out. `refusal.detail` is for the log."""

    def __init__(self, refusal: Refusal, answer: Answer) -> None:
        self.refusal = refusal
        self.answer = answer
        self.body = dict(answer.body)
        super().__init__(answer.status, detail=self.body, headers=dict(answer.headers))


class Guard(core.Guard, SecurityBase):
    """See `authserver.resource.guard.Guard` for what it takes and does."""

    def __init__(self, issuer: str, *, audience: str | Collection[str], **settings: Any) -> None:
        super().__init__(issuer, audience=audience, **settings)
        self.model = HTTPBearer(bearerFormat="JWT", description=f"An access token of {issuer}")
        self.scheme_name = "access_token"

    async def __call__(self, connection: HTTPConnection, security_scopes: SecurityScopes) -> Principal:
        """The principal with the scopes that the route asks for, or RequestRefused."""
        requirement = core.Requirement(frozenset(security_scopes.scopes))
        outcome = await self.authenticate_async(AsgiRequest(connection.scope), requirement)
        return self._admit(connection, outcome)

    def require(
        self, *scopes: str, role: str | Collection[str] | None = None
    ) -> Callable[..., Awaitable[Principal]]:
        """A dependency: all of `scopes`, and `role` (or one of several)."""
        requirement = core.Requirement.of(scopes, role)

        async def required(
            connection: HTTPConnection, principal: Annotated[Principal, Security(self, scopes=scopes)]
        ) -> Principal:
            return self._admit(connection, requirement.judge(principal))

        return required

    def _admit(self, connection: HTTPConnection, outcome: Principal | Refusal) -> Principal:
        if isinstance(outcome, Principal):
            return outcome
        _answer_in_our_form(connection)
        raise RequestRefused(outcome, self.answer(outcome, AsgiRequest(connection.scope)))


def _answer_in_our_form(connection: HTTPConnection) -> None:
    """FastAPI's own handler would wrap the body in "detail". Handlers live on the application, which a dependency
    first meets here; only where nobody chose otherwise does ours go in.
    """
    by_class, _ = connection.scope.get("starlette.exception_handlers", ({}, {}))
    if by_class.get(StarletteHTTPException) is http_exception_handler:
        by_class.setdefault(RequestRefused, _render)


async def _render(_request: Request, refused: Exception) -> Response:
    if not isinstance(refused, RequestRefused):
        raise refused
    return Response(
        refused.answer.content, refused.status_code, refused.headers, media_type="application/json"
    )
