"""Public documents as prebuilt answers: made when something changes, sent as they are.

A pure ASGI layer in front of the application: a dictionary look-up and two messages. Strong `ETag`, 304, `HEAD`,
CORS for everyone (nothing here is a secret and no cookie is read). As the outermost layer it also refuses a query that
is long or has many parameters, whoever it is for: taking 64 KiB of `a&a&` apart keeps the event loop for 25 ms.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from authserver.protocol.media import JSON

Answer = tuple[Message, Message]

CORS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag"),
    (b"x-content-type-options", b"nosniff"),
)
READS: Final = frozenset({"GET", "HEAD"})
EMPTY: Final[Message] = {"type": "http.response.body", "body": b""}
PREFLIGHT: Final[Answer] = (
    {
        "type": "http.response.start",
        "status": 204,
        "headers": [
            *CORS,
            (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
            (b"access-control-allow-headers", b"If-None-Match, Authorization"),
            (b"access-control-max-age", b"86400"),
        ],
    },
    EMPTY,
)
WRONG_METHOD: Final[Answer] = (
    {
        "type": "http.response.start",
        "status": 405,
        "headers": [*CORS, (b"allow", b"GET, HEAD, OPTIONS"), (b"content-length", b"0")],
    },
    EMPTY,
)


LONGEST_QUERY: Final = 8 * 1024
MOST_SEPARATORS: Final = 100


@dataclass(frozen=True, slots=True)
class Document:
    """One document, ready to be sent: in full, without its body, and as "not modified" (RFC 9110 §15.4.5)."""

    etag: bytes
    whole: Answer
    head: Answer
    unchanged: Answer | None  # None for an error: a condition is for what was asked for (RFC 9110 §13.2.1)

    def for_request(self, scope: Scope) -> Answer:
        if self.unchanged is not None:
            for name, value in scope["headers"]:
                if name == b"if-none-match" and (value == b"*" or self.etag in value):
                    return self.unchanged
        return self.head if scope["method"] == "HEAD" else self.whole


def document(body: bytes, media_type: str, cache_control: str) -> Document:
    """Prepare a document. Its `ETag` is a hash of its content, so equal content is equal on every server."""
    etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    shared = [*CORS, (b"cache-control", cache_control.encode()), (b"etag", etag)]
    start: Message = {
        "type": "http.response.start",
        "status": 200,
        "headers": [*shared, *_kind(body, media_type)],
    }
    not_modified: Message = {"type": "http.response.start", "status": 304, "headers": shared}
    return Document(
        etag, (start, {"type": "http.response.body", "body": body}), (start, EMPTY), (not_modified, EMPTY)
    )


def json_document(content: Mapping[str, Any], media_type: str, cache_control: str) -> Document:
    return document(_json(content), media_type, cache_control)


def refusal(
    status: int, error: str, message: str, retry_after: int | None = None, *, close: bool = False
) -> Document:
    """Prepare an answer that is not the document: never cached, and with a time to come back where there is one.

    :param close: end the connection with it: there is a request on it that does not end by itself.
    """
    body = _json({"error": error, "message": message})
    headers = [*CORS, (b"cache-control", b"no-store"), *_kind(body, JSON)]
    if retry_after is not None:
        headers.append((b"retry-after", str(retry_after).encode()))
    if close:
        headers.append((b"connection", b"close"))
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    return Document(b"", (start, {"type": "http.response.body", "body": body}), (start, EMPTY), None)


def unavailable(message: str) -> Document:
    return refusal(503, "temporarily_unavailable", message, retry_after=1)


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), sort_keys=True).encode()


def _kind(body: bytes, media_type: str) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]


Source = Callable[[Scope], Document]
QUERY_TOO_LONG: Final = refusal(414, "invalid_request", "The query is too long, or has too many parameters.")


class Published:
    """Answers the public paths from memory and hands every other request on.

    A path has a document, or a source that answers one at once, or (`apps`) an application of its own, which may take
    its time: the revocation feed waits for news.
    """

    def __init__(
        self,
        app: ASGIApp,
        documents: Mapping[str, Document | Source],
        apps: Mapping[str, ASGIApp] | None = None,
    ) -> None:
        self._app = app
        self._documents = dict(documents)
        self._apps = dict(apps or {})

    def put(self, path: str, found: Document) -> None:
        """Replace a document; requests that are under way keep the one that they began with."""
        self._documents[path] = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif not _is_readable(scope["query_string"]):
            await _send(QUERY_TOO_LONG.for_request(scope), send)
        elif (found := self._documents.get(scope["path"])) is not None:
            await respond(found, scope, send)
        else:
            await self._apps.get(scope["path"], self._app)(scope, receive, send)


def _is_readable(query: bytes) -> bool:
    return len(query) <= LONGEST_QUERY and query.count(b"&") <= MOST_SEPARATORS


async def respond(found: Document | Source, scope: Scope, send: Send) -> None:
    """Send a document as the request asks for it, or say that it may not be asked for like this."""
    if scope["method"] not in READS:
        answer = PREFLIGHT if scope["method"] == "OPTIONS" else WRONG_METHOD
    else:
        answer = (found if isinstance(found, Document) else found(scope)).for_request(scope)
    await _send(answer, send)


async def _send(answer: Answer, send: Send) -> None:
    for message in answer:
        await send(message)
