"""A request as bytes on the wire would make it, without a client library that would mend it first."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message

HOST = (b"host", b"login.example.com")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    unread: int


def send(
    app: ASGIApp,
    method: str,
    path: str,
    *headers: tuple[bytes, bytes],
    query: bytes = b"",
    address: str = "203.0.113.7",
    messages: tuple[Message, ...] = ({"type": "http.request", "body": b"", "more_body": False},),
) -> Answer:
    """Send one request. What Starlette raises once more after its 500 is for the server's log, not for the client."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogateescape"),
        "query_string": query,
        "root_path": "",
        "headers": [*headers] if any(name == b"host" for name, _ in headers) else [HOST, *headers],
        "client": (address, 40_000),
        "server": ("login.example.com", 443),
    }
    return asyncio.run(_exchange(app, scope, list(messages)))


BEGUN: Message = {"type": "http.request", "body": b"{", "more_body": True}
NOTHING_MORE: Message = {"type": "nothing.more"}


def trickle(app: ASGIApp, path: str, *headers: tuple[bytes, bytes]) -> Answer:
    """POST a body that begins, and never ends; nor does its connection."""
    return send(app, "POST", path, *headers, messages=(BEGUN, NOTHING_MORE))


async def _exchange(app: ASGIApp, scope: dict[str, Any], waiting: list[Message]) -> Answer:
    sent: list[Message] = []

    async def receive() -> Message:
        if waiting and waiting[0] is NOTHING_MORE:
            await asyncio.Event().wait()
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def keep(message: Message) -> None:
        sent.append(message)

    with suppress(Exception):
        await app(scope, receive, keep)
    assert sent, "a client that gets no answer at all"
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(
        sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]), len(waiting)
    )
