"""A refusal in the words of the RFCs, and its three renderings: JSON, a redirect (responding.py), a page.

`description` is for the developer of the client: ours alone, never anything that was sent (RFC 6749 §5.2 allows few
characters in it, and what is echoed is an attack sooner or later).
"""

from dataclasses import dataclass
from typing import Final

from starlette.responses import JSONResponse, Response

from authserver.protocol.oauth import INVALID_CLIENT

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
