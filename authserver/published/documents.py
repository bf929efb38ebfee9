"""Public documents as prebuilt answers: made when something changes, sent as they are.

A pure ASGI layer in front of the application: a dictionary look-up and two messages. Strong `ETag`, 304, `HEAD`,
CORS for everyone (nothing here is a secret and no cookie is read).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Answer = tuple[Message, Message]

CORS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag"),
    (b"x-content-type-options", b"nosniff"),
)
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
    {"type": "http.response.body", "body": b""},
)
WRONG_METHOD: Final[Answer] = (
    {
        "type": "http.response.start",
        "status": 405,
        "headers": [*CORS, (b"allow", b"GET, HEAD, OPTIONS"), (b"content-length", b"0")],
    },
    {"type": "http.response.body", "body": b""},
)


@dataclass(frozen=True, slots=True)
class Document:
    """One document, ready to be sent: in full, without its body, and as "not modified" (RFC 9110 §15.4.5)."""

    etag: bytes
    whole: Answer
    head: Answer
    unchanged: Answer

    def for_request(self, scope: Scope) -> Answer:
        wanted = next((value for name, value in scope["headers"] if name == b"if-none-match"), None)
        if wanted is not None and (wanted == b"*" or self.etag in wanted):
            return self.unchanged
        return self.head if scope["method"] == "HEAD" else self.whole


def document(body: bytes, media_type: str, cache_control: str, status: int = 200) -> Document:
    """Prepare a document. Its `ETag` is a hash of its content, so equal content is equal on every server."""
    etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"'
    shared = [*CORS, (b"cache-control", cache_control.encode()), (b"etag", etag)]
    headers = [*shared, (b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    start: Message = {"type": "http.response.start", "status": status, "headers": headers}
    empty: Message = {"type": "http.response.body", "body": b""}
    not_modified: Message = {"type": "http.response.start", "status": 304, "headers": shared}
    return Document(
        etag, (start, {"type": "http.response.body", "body": body}), (start, empty), (not_modified, empty)
    )


def json_document(
    content: Mapping[str, Any], media_type: str, cache_control: str, status: int = 200
) -> Document:
    body = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
    return document(body, media_type, cache_control, status)


Source = Callable[[Scope], Document]


class Published:
    """Answers the public paths from memory and hands every other request on."""

    def __init__(self, app: ASGIApp, documents: Mapping[str, Document | Source]) -> None:
        self._app = app
        self._documents = dict(documents)

    def put(self, path: str, found: Document) -> None:
        """Replace a document; requests that are under way keep the one that they began with."""
        self._documents[path] = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._documents.get(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        for message in _answer(found, scope):
            await send(message)


def _answer(found: Document | Source, scope: Scope) -> Answer:
    if scope["method"] in {"GET", "HEAD"}:
        return (found if isinstance(found, Document) else found(scope)).for_request(scope)
    return PREFLIGHT if scope["method"] == "OPTIONS" else WRONG_METHOD
