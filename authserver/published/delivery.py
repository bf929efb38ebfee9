"""GET /revocations and GET /revocations/stream: the ways in which the feed reaches a reader.

The stream is Server-Sent Events (WHATWG HTML §9.2): each event is the answer that asking again would have given,
pushed when there is news and at each heartbeat. Every reader is one task on the event loop. One that reads slowly
holds no more than the connection's own buffer (pace.py): its task waits there, and goes on with a single delta from
where it stood, or the whole list. One that does not read at all is let go, and begins anew.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from authserver.database import DatabaseUnavailable
from authserver.protocol.revocation import STREAM_EVENT
from authserver.published.documents import CORS, EMPTY, WRONG_METHOD, Document, respond, unavailable
from authserver.published.kept import Told
from authserver.published.news import News
from authserver.published.pace import PIECE, hand_over, pieces
from authserver.published.readers import Reader, reader_of
from authserver.published.revocations import UNAVAILABLE, RevocationFeed
from authserver.published.room import Room
from authserver.revocations.live import LiveRevocations
from authserver.revocations.store import Head
from authserver.web.address import neighbourhood

RETRY: Final = b"retry: 1000\n\n"
SILENCE: Final = b": the list cannot be confirmed now\n\n"
FULL: Final = unavailable("Too many readers follow the list here; ask without wait.")
STREAM: Final[Message] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        *CORS,
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),  # nginx would keep events until it has a page of them
    ],
}


class Delivery:
    """Brings the feed to its readers. Asks the database only for a reader who claims to know more than we do."""

    def __init__(self, feed: RevocationFeed, live: LiveRevocations, news: News, *, most: int) -> None:
        self._feed = feed
        self._news = news
        self._room = Room(most)
        self._long_work = asyncio.Lock()
        self._looks = Looks(live)
        self._live = live
        self._told: Head | None = None

    @property
    def waiting(self) -> int:
        """How many readers wait for news now, by long poll or stream."""
        return self._room.taken

    async def tell_news(self) -> None:
        """Wake the readers, if the list has changed since they were woken last."""
        head = self._live.known.head if self._live.known else None
        if head != self._told:
            self._told = head
            await self._news.tell()

    async def document(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer once; with `wait`, as soon as there is news."""
        reader = reader_of(scope)
        if isinstance(reader, Document) or scope["method"] not in {"GET", "HEAD"}:
            await respond(reader if isinstance(reader, Document) else UNAVAILABLE, scope, send)
            return
        if reader.wait and not self._feed.has_news_for(reader.position):
            if not self._room.enter(caller := neighbourhood(scope)):
                await respond(FULL, scope, send)
                return
            try:
                await self._wait(reader, receive)
            finally:
                self._room.leave(caller)
        await _respond((await self._answer(reader)).answer, scope, send)

    async def stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer again and again, until the reader goes or the server stops."""
        reader = reader_of(scope)
        if scope["method"] != "GET":
            await send(WRONG_METHOD[0])
            await send(WRONG_METHOD[1])
        elif isinstance(reader, Document):
            await respond(reader, scope, send)
        elif not self._room.enter(caller := neighbourhood(scope)):
            await respond(FULL, scope, send)
        else:
            try:
                await self._push(reader, receive, send)
            finally:
                self._room.leave(caller)

    async def _wait(self, reader: Reader, receive: Receive) -> None:
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            await self._news.wait(reader.wait, gone)
        finally:
            gone.cancel()

    async def _push(self, reader: Reader, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_disconnect(receive))
        try:
            await send(STREAM)
            await send({"type": "http.response.body", "body": RETRY, "more_body": True})
            while not gone.done() and not self._news.over:
                told = await self._answer(reader)
                await hand_over(_event(told), len(told.answer.whole[1]["body"]), send)
                reader = Reader(told.position, 0, reader.heartbeat)
                if told.answer is UNAVAILABLE or not self._feed.has_news_for(told.position):
                    await self._news.wait(reader.heartbeat, gone)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # the server closes the connection under an answer that did not end
        finally:
            gone.cancel()

    async def _answer(self, reader: Reader) -> Told:
        if self._feed.is_ahead(reader.position):
            try:
                await self._looks.one_from_now()
            except DatabaseUnavailable:
                return Told(UNAVAILABLE, reader.position)
        if self._feed.is_long_work(reader.position):
            async with self._long_work:  # whoever waits here finds it done
                await asyncio.to_thread(self._feed.prepare)
        return self._feed.tell(reader.position)


class Looks:
    """Looks at the database off the loop. All who ask while one look is under way share the next one."""

    def __init__(self, live: LiveRevocations) -> None:
        self._live = live
        self._current: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def one_from_now(self) -> None:
        """Wait for a look that begins after this call.

        :raises DatabaseUnavailable: it did not answer.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._look(self._current))
            self._next.add_done_callback(_heard)
        await asyncio.shield(self._next)

    async def _look(self, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        self._current, self._next = self._next, None
        await asyncio.to_thread(self._live.refresh)


def _heard(look: "asyncio.Task[None]") -> None:
    """Nobody may be left to hear of a failure."""
    if not look.cancelled():
        look.exception()


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _respond(found: Document, scope: Scope, send: Send) -> None:
    """Send an answer as `respond` does, but a long one no faster than its reader takes it."""
    start, body = found.for_request(scope)
    content: bytes = body["body"]
    if len(content) <= PIECE:
        await respond(found, scope, send)
        return
    await send(start)
    with suppress(TimeoutError):
        await hand_over(pieces(content), len(content), send)
        await send(EMPTY)


def _event(told: Told) -> Iterator[bytes]:
    if told.answer is UNAVAILABLE:
        yield SILENCE
        return
    number = b"" if told.position is None else b"\nid: %d" % told.position.sequence
    token = pieces(told.answer.whole[1]["body"])
    yield b"event: %s%s\ndata: %s" % (STREAM_EVENT.encode(), number, next(token))
    yield from token
    yield b"\n\n"
