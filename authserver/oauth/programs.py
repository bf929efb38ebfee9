"""The endpoints that programs call and no person sees: every refusal is RFC 6749 §5.2, and the way to them is short.

Such an endpoint reads its request by itself and needs nothing of FastAPI's but its place in the description, so it is
found by its path in a dictionary, in front of the router: half of what a token costs beside its signature (a router
asks one route after the other, then solves dependencies that are none).
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from authserver.oauth.errors import Problem, as_json
from authserver.web.body import BodyTooSlow
from authserver.web.errors import note, row_of

Answer = Callable[[Request], Awaitable[Response]]


class ForPrograms(APIRoute):
    """A route whose every refusal is RFC 6749 §5.2, whatever `Accept` says: those of the layers below it as well."""

    @property
    def plain(self) -> bool:
        """Whether its endpoint takes the request and nothing else."""
        return "{" not in self.path

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle: Answer = self.endpoint if self.plain else super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001 - by the one table; what is not in it says nothing
                return _below(request, error)

        return answer


class Programs:
    """Answers for these endpoints at once, and leaves everything else to the application behind it."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        self._app = app
        self._answers = {
            (method, route.path): route.get_route_handler()
            for router in routers
            for route in router.routes
            if isinstance(route, ForPrograms) and route.plain
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._answers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        response = await answer(Request(scope, receive, send))
        await response(scope, receive, send)


def _below(request: Request, error: Exception) -> Response:
    """Say by the one table of errors (web/errors.py) what a failure below means outside."""
    row = row_of(error)
    note(request, row, error)
    description = getattr(error, "reason", row.message)
    retry_after = getattr(error, "retry_after", row.retry_after)
    answer = as_json(Problem(row.code, description, row.status, retry_after=retry_after))
    if row.status == BodyTooSlow.status:
        answer.headers["connection"] = "close"  # as web/errors.py: the rest would go on trickling in
    return answer
