"""The guard for FastAPI: `user: Annotated[Principal, Depends(guard)]`.

In sync and async routes and on WebSockets alike; the scheme and the scopes of each route appear in /openapi.json.
Refusals are answered as RFC 6750 wants them, with `{"error", "message"}` in the reader's language. An application
that handles HTTPException or RequestRefused itself keeps doing so.
"""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Annotated, Any

from authserver.resource.extras import Needs

with Needs("fastapi"):
    from fastapi import FastAPI, HTTPException, Security
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
from authserver.resource.freshness import Freshness
from authserver.resource.metadata import HEADERS as METADATA_HEADERS
from authserver.resource.principal import Principal
from authserver.resource.refusal import Refusal

__all__ = ["Freshness", "Guard", "Principal", "RequestRefused"]


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
        return await self.admit(connection, core.Requirement(frozenset(security_scopes.scopes)))

    def require(
        self,
        *scopes: str,
        role: str | Collection[str] | None = None,
        freshness: Freshness | None = None,
    ) -> Callable[..., Awaitable[Principal]]:
        """A dependency: all of `scopes`, and `role` (or one of several).

        `freshness` is this route's own contract about the revocation list; None: the guard's.
        """
        scheme = _Required(self, self.requirement(*scopes, role=role, freshness=freshness))

        async def required(principal: Annotated[Principal, Security(scheme, scopes=scopes)]) -> Principal:
            return principal

        return required

    def serve_metadata(self, app: FastAPI) -> None:
        """Publish the guard's RFC 9728 document, outside of the application's own OpenAPI document and dependencies."""
        self.metadata()  # a guard without any is a mistake to be heard of now
        metadata = self.resource_metadata

        async def protected_resource(_request: Request) -> Response:
            content = b"" if metadata is None else metadata.content
            return Response(content, headers=METADATA_HEADERS, media_type="application/json")

        if metadata is not None:
            app.add_route(metadata.path, protected_resource, include_in_schema=False)

    async def admit(self, connection: HTTPConnection, requirement: core.Requirement) -> Principal:
        """The principal, or RequestRefused on its way to an answer in our form."""
        request = AsgiRequest(connection.scope)
        outcome = await self.authenticate_async(request, requirement)
        if isinstance(outcome, Principal):
            return outcome
        _answer_in_our_form(connection)
        raise RequestRefused(outcome, self.answer(outcome, request))


class _Required(SecurityBase):
    """A guard with a requirement, as FastAPI reads it: the same scheme in /openapi.json, the route's own scopes."""

    def __init__(self, guard: Guard, requirement: core.Requirement) -> None:
        self._guard = guard
        self._requirement = requirement
        self.model = guard.model
        self.scheme_name = guard.scheme_name

    async def __call__(self, connection: HTTPConnection, security_scopes: SecurityScopes) -> Principal:
        """With the scopes of the dependencies around it, too."""
        asked = self._requirement
        scopes = frozenset(security_scopes.scopes)
        return await self._guard.admit(
            connection, asked if scopes == asked.scopes else replace(asked, scopes=asked.scopes | scopes)
        )


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
