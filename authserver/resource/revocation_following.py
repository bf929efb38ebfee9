"""The thread that hears the news: one step of the ladder after the other, for as long as somebody uses the source.

It holds the source only between two waits, so that a source that nobody uses any more can go; what it waits on in
between, the line, is hung up when that happens.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Final
from weakref import ReferenceType

from authserver.protocol.revocation import STREAM_EVENT
from authserver.resource.event_stream import EventStream
from authserver.resource.http import Connect, Exchange
from authserver.resource.line import FetchFailed, Line, TooSlow
from authserver.resource.options import HEARTBEATS
from authserver.resource.patience import Patience
from authserver.resource.revocation_document import MAX_FEED
from authserver.resource.revocation_ladder import Ladder, Step

if TYPE_CHECKING:
    from authserver.resource.revocation_source import RevocationSource

_log: Final = logging.getLogger("authserver.resource")

LONGEST_EVENT: Final = 10.0  # seconds from an event's first byte to its last
_OK: Final = 200
_EVENT_STREAM: Final = "text/event-stream"
_MISSING: Final = frozenset((400, 404, 405, 406, 410, 501))


class _Missing(Exception):
    """The issuer has no such step, or something on the way does not let it through."""


class _Gone(Exception):
    """Nobody uses the source any more."""


@dataclass(frozen=True, slots=True)
class Following:
    """What the thread may hold while it waits."""

    source: "ReferenceType[RevocationSource]"
    ladder: Ladder
    connect: Connect | None
    line: Line
    heartbeat: float
    monotonic: Callable[[], float]
    stop: Event

    def run(self) -> None:
        pause = 0.0
        while not self.stop.wait(pause):
            try:
                pause = self._round()
            except _Gone:
                return

    def end(self) -> None:
        self.stop.set()
        self.line.hang_up()

    def _round(self) -> float:
        step = self.ladder.choose(self.monotonic())
        if step is Step.POLL or self.connect is None:
            return self._source().poll_and_pause()
        try:
            return self._stream(self.connect) if step is Step.STREAM else self._long_poll(self.connect)
        except _Missing as trouble:
            _log.info("the issuer's %s of revocations cannot be used: %s", step, trouble)
            return self.ladder.missing(step, self.monotonic())
        except _Gone:
            raise
        except TooSlow:  # a proxy that keeps an answer until it is long enough, or an issuer that hangs
            _log.debug("revocations by %s: nothing comes through", step)
            return self.ladder.silent(step)
        except Exception as trouble:  # noqa: BLE001 - whatever comes, the list that we have stays
            _log.debug("revocations by %s: %s: %s", step, type(trouble).__name__, trouble)
            return self.ladder.failed(step)

    def _stream(self, connect: Connect) -> float:
        self.line.allow(self._patience)
        with connect(self._source().url_for(Step.STREAM, self.heartbeat), self.line) as answer:
            _check(answer, _EVENT_STREAM)
            return self._listen(answer)

    def _listen(self, answer: Exchange) -> float:
        heard, began, events = False, self.monotonic(), EventStream(MAX_FEED)
        patience = Patience(self.line, self._patience, LONGEST_EVENT)
        try:
            for document in _documents(answer, events, patience):
                word = self._source().hear(document, self.monotonic(), Step.STREAM)
                if word is None:
                    return self.ladder.lost_track(Step.STREAM)
                heard = True
                if patience.heard(word):
                    self.ladder.heard(self.monotonic() - began)
        except FetchFailed as trouble:
            if not heard:
                raise
            if isinstance(trouble, TooSlow):
                raise FetchFailed("it fell silent") from None
            _log.debug("the stream of revocations was cut: %s", trouble)
        if not heard:
            raise FetchFailed("a stream that ends before it begins")
        return self.ladder.cut(at_least=events.retry or 0.0)

    def _long_poll(self, connect: Connect) -> float:
        source = self._source()
        asked_at, stood = self.monotonic(), source.revocations.position
        url = source.url_for(Step.LONG_POLL, self.heartbeat)
        del source
        self.line.allow(self.heartbeat + LONGEST_EVENT)
        with connect(url, self.line) as answer:
            _check(answer)
            document = answer.whole(MAX_FEED)
        came_at = self.monotonic()
        source = self._source()
        if source.hear(document, came_at, Step.LONG_POLL) is None:
            return self.ladder.lost_track(Step.LONG_POLL)
        if source.revocations.position == stood and came_at - asked_at < self.heartbeat / 2:
            raise FetchFailed("an issuer that does not wait")
        return self.ladder.worked(Step.LONG_POLL, came_at)

    @property
    def _patience(self) -> float:
        return HEARTBEATS * self.heartbeat

    def _source(self) -> "RevocationSource":
        source = self.source()
        if source is None:
            raise _Gone
        return source


def _documents(answer: Exchange, events: EventStream, patience: Patience) -> Iterator[bytes]:
    """Comments and other events are no news: who sends nothing else is given up."""
    while piece := answer.read():
        for event in events.feed(piece):
            if event.name == STREAM_EVENT:
                yield event.data.encode()
        if events.is_midway:
            patience.midway()


def _check(answer: Exchange, media_type: str | None = None) -> None:
    if answer.status in _MISSING:
        raise _Missing(f"status {answer.status}")
    if answer.status != _OK:
        raise FetchFailed(f"status {answer.status}")
    if media_type is not None and answer.media_type != media_type:
        raise _Missing(f"it is {answer.media_type}")
