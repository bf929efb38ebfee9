"""A reader of the revocation stream, as the server sees one: an ASGI connection that takes events, or does not."""

import asyncio
import json
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Message, Scope

from authserver.protocol import paths
from authserver.protocol.revocation import EVENT
from authserver.resource.jws import parse_compact

PATIENCE = 5.0


class StreamReader:
    """Connects inside `async with`. `stall()` makes it read nothing more until `go_on()`."""

    def __init__(
        self, app: ASGIApp, query: str = "", *, address: str = "203.0.113.7", **headers: str
    ) -> None:
        self._app = app
        self._scope: Scope = {
            **scope_of(paths.REVOCATION_STREAM, query, **headers),
            "client": (address, 40_000),
        }
        self._room = asyncio.Event()
        self._left = asyncio.Event()
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self.start: Message = {}
        self.ended = False
        self._room.set()

    async def __aenter__(self) -> Self:
        self.task = asyncio.ensure_future(self._app(self._scope, self._receive, self._send))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
        self.go_on()
        await asyncio.wait_for(self.task, PATIENCE)

    def stall(self) -> None:
        self._room.clear()

    def go_on(self) -> None:
        self._room.set()

    def leave(self) -> None:
        self._left.set()

    @property
    def unread(self) -> int:
        return self._said.qsize()

    async def event(self) -> dict[str, Any]:
        """The next event's content; `id` is the stream's own."""
        while True:
            text = await self.piece()
            if b"event: revocations" not in text:
                continue
            while not text.endswith(b"\n\n"):
                text += await self.piece()
            lines = dict(line.split(": ", 1) for line in text.decode().strip().split("\n"))
            return {"id": lines.get("id"), **told(lines["data"])}

    async def comment(self) -> bytes:
        while not (text := await self.piece()).startswith(b":"):
            pass
        return text

    async def piece(self) -> bytes:
        """What was sent at once: a part of an event may be."""
        return await asyncio.wait_for(self._said.get(), PATIENCE)

    async def _receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        await self._room.wait()
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self._said.put_nowait(message["body"])
            self.ended = not message.get("more_body", False)


def told(token: str) -> dict[str, Any]:
    """What an answer of the feed says, unverified."""
    event: dict[str, Any] = json.loads(parse_compact(token, max_length=len(token)).unverified_payload)[
        "events"
    ][EVENT]
    return event


def values(event: dict[str, Any]) -> list[str]:
    return [entry["value"] for entry in event["entries"]]


def scope_of(path: str, query: str = "", **headers: str) -> Scope:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": raw,
    }
