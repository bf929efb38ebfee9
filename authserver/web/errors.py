"""The one table of errors: what a failure below becomes outside. Anything not in it is a 500 that says nothing."""

from dataclasses import dataclass, replace
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from authserver.database import DatabaseUnavailable
from authserver.keyring.live import CannotSign
from authserver.logs import get_logger
from authserver.web.answers import Answers, for_program
from authserver.web.body import BadRequest, BodyTooLarge, BodyTooSlow, UnsupportedMediaType
from authserver.web.csrf import CrossSite
from authserver.web.runner import Overloaded

log = get_logger("authserver.web")

BUSY: Final = "The service is busy. Please try again in a moment."
AWAY: Final = "The service cannot reach its database. Please try again in a moment."
FOREIGN: Final = "This page was open for too long or was sent from another site. Please try again."


@dataclass(frozen=True, slots=True)
class Row:
    """An HTTP status, the code for programs, the message for people, and when to come back."""

    status: int
    code: str
    message: str
    retry_after: int | None = None


TABLE: Final[dict[type[Exception], Row]] = {
    BadRequest: Row(400, "invalid_request", "The request cannot be read."),
    BodyTooLarge: Row(413, "invalid_request", "The request is too large."),
    BodyTooSlow: Row(408, "invalid_request", "The request took too long."),
    UnsupportedMediaType: Row(
        415, "invalid_request", "The request has a content type that is not read here."
    ),
    CrossSite: Row(403, "forged_request", FOREIGN),
    RequestValidationError: Row(400, "invalid_request", "The request cannot be read."),
    ClientDisconnect: Row(400, "invalid_request", "The request cannot be read."),
    Overloaded: Row(503, "temporarily_unavailable", BUSY, 1),
    DatabaseUnavailable: Row(503, "temporarily_unavailable", AWAY, 2),
    CannotSign: Row(503, "temporarily_unavailable", AWAY, 2),
    Exception: Row(500, "server_error", "Something went wrong on our side."),
}
BY_STATUS: Final = {
    404: Row(404, "not_found", "Page not found"),
    405: Row(405, "method_not_allowed", "This address does not answer to that method."),
}


def mount(app: FastAPI, answers: Answers) -> None:
    """Make the application answer every failure by the table."""

    async def by_kind(request: Request, error: Exception) -> Response:
        row = row_of(error)
        note(request, row, error)
        retry_after = getattr(error, "retry_after", row.retry_after)
        return render(
            answers, request, replace(row, retry_after=retry_after), detail=getattr(error, "reason", None)
        )

    async def by_status(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - how it is registered below
        fallback = Row(error.status_code, "invalid_request", "The request cannot be read.")
        answer = render(answers, request, BY_STATUS.get(error.status_code, fallback))
        answer.headers.update(error.headers or {})
        return answer

    for kind in TABLE:
        app.add_exception_handler(kind, by_kind)
    app.add_exception_handler(HTTPException, by_status)


def render(answers: Answers, request: Request, row: Row, *, detail: str | None = None) -> Response:
    """Answer with a row: as a page, or as JSON with `error` and `message`."""
    if for_program(request):
        more = {"detail": detail} if detail else {}
        answer = answers.json(request, row.message, status=row.status, facts={"error": row.code, **more})
    else:
        title = answers.say(request, row.message)
        answer = answers.page(
            request,
            "error.html",
            status=row.status,
            title=title,
            description=detail or "",
            retry_after=row.retry_after,
        )
    if row.retry_after is not None:
        answer.headers["retry-after"] = str(row.retry_after)
    if row.status == BodyTooSlow.status:
        answer.headers["connection"] = (
            "close"  # RFC 9110 §15.5.9; else the rest of the body goes on trickling in
        )
    return answer


def row_of(error: Exception) -> Row:
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def note(request: Request, row: Row, error: Exception) -> None:
    """One line for each: the trace only where the mistake is ours."""
    facts = {"path": request.scope["path"], "status": row.status, "kind": type(error).__name__}
    if row.status == TABLE[Exception].status:
        log.error("request failed", **facts, exc_info=error)
    elif row.status >= TABLE[Exception].status:
        log.warning("request refused", **facts, cause=str(error))
    else:
        log.info("request refused", **facts)
