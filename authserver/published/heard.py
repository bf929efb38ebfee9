"""POST /revocations/heard: a named service says how far it follows, and with which keys (protocol/heard.py).

Anyone may say anything here, so the answer decides nothing, and a flood costs little: one small JSON object that comes
within seconds, checked member by member, kept in bounded memory, written by another thread (services/live.py). A page of another site cannot
make a browser send one: `application/json` needs a preflight (Fetch §4.8), and a preflight is refused here.
"""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from authserver.protocol.media import JSON
from authserver.published.documents import EMPTY, Answer, Document, refusal
from authserver.resource.strict_json import MalformedJSON, strict_json
from authserver.services.live import LiveServices
from authserver.services.said import Said, understood
from authserver.web.address import neighbourhood

LARGEST: Final = 4 * 1024
SLOWEST: Final = 10.0  # seconds for the whole body
LONGEST_NUMBER: Final = 18
RETRY_AFTER: Final = 30

TAKEN: Final[Answer] = (
    {"type": "http.response.start", "status": 204, "headers": [(b"cache-control", b"no-store")]},
    EMPTY,
)
WRONG_METHOD: Final[Answer] = (
    {
        "type": "http.response.start",
        "status": 405,
        "headers": [(b"allow", b"POST"), (b"content-length", b"0")],
    },
    EMPTY,
)
WRONG_TYPE: Final = refusal(415, "invalid_request", f"Send {JSON}.")
TOO_LARGE: Final = refusal(413, "invalid_request", f"The body may have at most {LARGEST} bytes.")
BAD_LENGTH: Final = refusal(400, "invalid_request", "The header Content-Length cannot be read.")
TOO_SLOW: Final = refusal(408, "invalid_request", "The body took too long.", close=True)
CUT_SHORT: Final = refusal(400, "invalid_request", "The body ended early.")
NOT_JSON: Final = refusal(400, "invalid_request", "The body is not one valid JSON object.")
FULL: Final = refusal(
    503, "temporarily_unavailable", "More instances report than are kept.", retry_after=RETRY_AFTER
)


class HeardEndpoint:
    """An ASGI application for the one path; where the caller is only shares out the room that there is."""

    def __init__(self, services: LiveServices) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in await self._answer(scope, receive):
            await send(message)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        if scope["method"] != "POST":
            return WRONG_METHOD
        headers = Headers(scope=scope)
        said = _refused(headers) or _understood(await _body_in_time(receive))
        if isinstance(said, Document):
            return said.whole
        return TAKEN if self._services.hear(said, neighbourhood(scope)) else FULL.whole


def _refused(headers: Headers) -> Document | None:
    """Refuse what need not be read."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        return WRONG_TYPE
    declared = headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit() and len(declared) <= LONGEST_NUMBER):
        return BAD_LENGTH
    return TOO_LARGE if int(declared) > LARGEST else None


async def _body_in_time(receive: Receive) -> bytes | Document:
    try:
        async with asyncio.timeout(SLOWEST):
            return await _body(receive)
    except TimeoutError:
        return TOO_SLOW


async def _body(receive: Receive) -> bytes | Document:
    body, more = bytearray(), True
    while more:
        message: Message = await receive()
        if message["type"] != "http.request":
            return CUT_SHORT
        body += message.get("body", b"")
        if len(body) > LARGEST:
            return TOO_LARGE
        more = message.get("more_body", False)
    return bytes(body)


def _understood(body: bytes | Document) -> Said | Document:
    if isinstance(body, Document):
        return body
    try:
        said = understood(strict_json(body))
    except MalformedJSON:
        return NOT_JSON
    return said if isinstance(said, Said) else refusal(400, "invalid_request", said)
