"""A refusal in the words of the RFCs, and its three renderings: JSON, a redirect (responding.py), a page.

`description` is for the developer of the client: ours alone, never anything that was sent (RFC 6749 §5.2 allows few
characters in it, and what is echoed is an attack sooner or later).
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.database import DatabaseUnavailable
from authserver.keyring.live import CannotSign
from authserver.logs import get_logger
from authserver.protocol.oauth import INVALID_CLIENT
from authserver.web.body import BadRequest, BodyTooSlow
from authserver.web.errors import TABLE
from authserver.web.runner import Overloaded

log = get_logger("authserver.oauth")

NO_STORE: Final = {"cache-control": "no-store", "pragma": "no-cache"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is refused."""

    error: str
    description: str
    status: int = 400
    challenge: str | None = None  # for `WWW-Authenticate`
    retry_after: int | None = None  # seconds


def client_problem(*, by_header: bool) -> Problem:
    """Refuse a client, in the same words whether it exists or not (SECURITY O50, W4)."""
    return Problem(
        INVALID_CLIENT,
        "The client could not be authenticated: check its id, its secret and how it sends them.",
        401,
        'Basic realm="oauth2", charset="UTF-8"' if by_header else None,
    )


def as_json(problem: Problem) -> Response:
    """Answer as RFC 6749 §5.2."""
    body = {"error": problem.error, "error_description": problem.description}
    answer = JSONResponse(body, problem.status, NO_STORE)
    if problem.challenge is not None:
        answer.headers["www-authenticate"] = problem.challenge
    if problem.retry_after is not None:
        answer.headers["retry-after"] = str(problem.retry_after)
    return answer


class ForPrograms(APIRoute):
    """A route whose every refusal is RFC 6749 §5.2, whatever `Accept` says: those of the layers below it as well."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except (BadRequest, Overloaded, DatabaseUnavailable, CannotSign) as error:
                return _below(request, error)

        return answer


def _below(request: Request, error: Exception) -> Response:
    """Say by the one table of errors (web/errors.py) what a failure below means outside."""
    row = next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)
    facts = {"path": request.scope["path"], "status": row.status, "kind": type(error).__name__}
    log.info("request refused", **facts, cause=str(error))
    description = getattr(error, "reason", row.message)
    retry_after = getattr(error, "retry_after", row.retry_after)
    answer = as_json(Problem(row.code, description, row.status, retry_after=retry_after))
    if row.status == BodyTooSlow.status:
        answer.headers["connection"] = "close"  # as web/errors.py: the rest would go on trickling in
    return answer
