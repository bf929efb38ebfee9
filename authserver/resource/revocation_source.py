"""Follows the issuer's revocation feed in the background, so that a logout is known here at once.

Attacks: a forged list that brings the signed-out back or signs everybody out (the issuer's signature, by a key that is
not itself revoked); an old list replayed (`iat` and sequence only grow); a delta cut out of order (refused, and the
whole list is asked for); a list that is kept from us (its age is told, `freshness` decides).
"""

import logging
import os
from collections.abc import Callable
from random import random
from threading import Event, Lock, Thread
from time import time
from typing import Final
from urllib.parse import urlencode
from weakref import ReferenceType, finalize, ref

from authserver.protocol import paths
from authserver.protocol.revocation import HEARTBEAT, LONGEST_WAIT
from authserver.resource.http import Connect, Fetch, Post
from authserver.resource.jwks_source import JwksSource
from authserver.resource.keys import PublicKey
from authserver.resource.line import Line
from authserver.resource.options import HEARTBEATS
from authserver.resource.patience import Word
from authserver.resource.revocation_copy import Heard, RevocationCopy
from authserver.resource.revocation_document import (
    MAX_FEED,
    UnusableDocument,
    issued_at,
    open_document,
    read_event,
)
from authserver.resource.revocation_following import Following
from authserver.resource.revocation_ladder import Ladder, Step
from authserver.resource.revocation_set import RevocationSet
from authserver.resource.service_report import Said, ServiceReport, believed, require_name
from authserver.resource.since_boot import since_boot
from authserver.resource.single_flight import SingleFlight

__all__ = ["MAX_FEED", "RevocationSource"]

_log: Final = logging.getLogger("authserver.resource")

_OK: Final = 200
_NO_SUCH_LIST: Final = frozenset((400, 404, 410))  # an issuer may not know our position: ask for everything
_BELOW: Final = {
    Step.STREAM: paths.REVOCATION_STREAM.removeprefix(paths.REVOCATIONS),
    Step.LONG_POLL: "",
    Step.POLL: "",
}


class RevocationSource:
    """Keeps `revocations` current. Starts its thread at the first request: not at import, and again after a fork.

    With `connect` it prefers a stream, and then a long poll; without, it polls each `interval` seconds. With `service`
    and `post` it tells the issuer where it stands. `heartbeat`: how often, in seconds, a stream must say something.
    """

    def __init__(
        self,
        url: str,
        fetch: Fetch,
        *,
        jwks: JwksSource,
        issuer: str,
        connect: Connect | None = None,
        heartbeat: float = HEARTBEAT,
        service: str | None = None,
        post: Post | None = None,
        interval: float = 1.0,
        clock: Callable[[], float] = time,
        monotonic_clock: Callable[[], float] = since_boot,
        jitter: Callable[[], float] = random,
    ) -> None:
        self.by = Step.POLL
        self._copy = RevocationCopy()
        self._url, self._fetch, self._jwks, self._issuer = url, fetch, jwks, issuer
        self._connect, self._heartbeat = connect, heartbeat
        self._service, self._post = service and require_name(service), post
        self._clock, self._monotonic = clock, monotonic_clock
        better = (Step.STREAM, Step.LONG_POLL) if connect else ()
        self._ladder = Ladder(better, interval=interval, jitter=jitter)
        self._is_out = False
        self._pause = 0.1
        self._retry_at = float("-inf")
        self._poll = SingleFlight(self._poll_now)
        self._pid: int | None = None
        self._starting: dict[int, Lock] = {}
        self._taking = Lock()
        self._following: Following | None = None
        self._report: ServiceReport | None = None
        self._closed = False
        jwks.on_change(_teller(ref(self)))

    @property
    def revocations(self) -> RevocationSet:
        return self._copy.revocations

    @property
    def age(self) -> float | None:
        """Seconds since the list was last known to be current; None when there never was one."""
        return self._copy.age(self._monotonic())

    @property
    def sequence(self) -> int:
        return self.revocations.sequence

    @property
    def failures(self) -> int:
        """How many times in a row asking has failed."""
        return self._ladder.failures

    def must_wait(self) -> bool:
        """There is no list yet, and asking for it is due: the first request waits for it."""
        return not self._copy.has_list and self._monotonic() >= self._retry_at

    def load(self) -> None:
        """Blocks until there is a list, or asking for it failed; asks only if nobody else has meanwhile."""
        self._poll.run(self.must_wait)

    def poll_once(self) -> None:
        """Blocks for one round, or for the one under way. Never raises: `age` tells how it went."""
        self._poll.run()

    def ensure_running(self) -> None:
        """Cheap enough for every request. A forked child has its parent's memory but not its threads."""
        if self._pid != os.getpid() and not self._closed:
            self._start()

    def close(self) -> None:
        """Stop following, at once; what is known stays known, and ages."""
        self._closed = True
        _end(self._pid, self._following, self._report)

    def url_for(self, step: Step, heartbeat: float | None = None) -> str:
        """Where to ask for what has come since, by way of `step`."""
        position, query = self.revocations.position, {}
        if position is not None:
            query = {"since": str(position.sequence), "mark": position.mark}
        if heartbeat is not None:
            name = "wait" if step is Step.LONG_POLL else "heartbeat"
            query[name] = str(min(max(int(heartbeat), 1), LONGEST_WAIT))
        return f"{self._url}{_BELOW[step]}?{urlencode(query)}"

    def hear(self, document: bytes, asked_at: float, by: Step) -> Word | None:
        """Verify one document and take it over; None when it does not fit the list that we have.

        :raises UnusableDocument: it is none of this issuer's lists, or an old one.
        """
        heard = Heard(asked_at, self._monotonic(), self._clock())
        claims = open_document(document, self._key_for, self._issuer)
        event, iat = read_event(claims), issued_at(claims)
        with self._taking:
            stood, said_by, kids = self.revocations.position, self.by, self.revocations.kids
            if not self._copy.take(event, iat, heard):
                return None
            self._copy.forget(heard.now)
            if not self._copy.wants_all:
                self._note_success(by)
        if (stood, said_by) != (self.revocations.position, self.by):
            self.say_so(at_once=not self.revocations.kids <= kids)
        return None if self._copy.wants_all else Word(iat, self.sequence)

    def poll_and_pause(self) -> float:
        """One round of the thread; seconds until the next one."""
        if self._copy.has_list:
            self.poll_once()
        else:
            self._poll.run(lambda: not self._copy.has_list)
        return self._pause

    def say_so(self, *, at_once: bool = False) -> None:
        """Something has changed that the issuer may want to know; `at_once`: it waits for nothing else."""
        if self._report is not None and self._pid == os.getpid():
            self._report.changed(at_once=at_once)

    def said(self) -> Said | None:
        """What there is to report."""
        keys, position = self._jwks.keys, self.revocations.position
        if keys is None or position is None:
            return None
        return Said(*position, believed(keys.kids, self.revocations.kids), self.by)

    def _start(self) -> None:
        with self._starting_lock():
            if self._pid == os.getpid():
                return
            self._taking = Lock()
            self._following = following = self._new_following()
            self._report = report = self._new_report()
            self._pid = os.getpid()
        finalize(self, _end, self._pid, following, report).atexit = False
        Thread(target=following.run, name="authserver-revocations", daemon=True).start()
        if report is not None:
            Thread(target=report.run, name="authserver-report", daemon=True).start()

    def _starting_lock(self) -> Lock:
        """This process's: its parent's may have been held when it was born, by a thread that it does not have."""
        return self._starting.setdefault(os.getpid(), Lock())

    def _new_following(self) -> Following:
        line = Line(HEARTBEATS * self._heartbeat)
        return Following(
            ref(self), self._ladder, self._connect, line, self._heartbeat, self._monotonic, Event()
        )

    def _new_report(self) -> ServiceReport | None:
        if self._service is None or self._post is None:
            return None
        url = self._url.removesuffix(paths.REVOCATIONS) + paths.HEARD
        return ServiceReport(url, self._service, self._post, _sayer(ref(self)))

    def _poll_now(self) -> None:
        try:
            self._catch_up()
        except Exception as error:  # noqa: BLE001 - whatever an issuer answers, the list that we have stays
            self._note_failure(f"{type(error).__name__}: {error}")
        else:
            self._pause = self._ladder.worked(Step.POLL, self._monotonic())
        self._copy.forget(self._clock())

    def _catch_up(self) -> None:
        if not self._copy.wants_all and self._ask(self.url_for(Step.POLL)):
            return
        if not self._ask(self._url):
            raise UnusableDocument("not there, or older than the list that we have")

    def _ask(self, url: str) -> bool:
        """Fetch one document and hear it; False when there is none for us, or it does not fit."""
        asked_at = self._monotonic()
        answer = self._fetch(url, None)
        if answer.status in _NO_SUCH_LIST:
            return False
        if answer.status != _OK:
            raise UnusableDocument(f"status {answer.status}")
        return self.hear(answer.body, asked_at, Step.POLL) is not None

    def _key_for(self, kid: str) -> PublicKey | None:
        """The issuer's key, unless it is revoked: a stolen key could sign a list that does not name it."""
        if kid in self.revocations.kids:
            return None
        keys = self._jwks.keys
        if keys is None and self._jwks.must_refresh():
            self._jwks.refresh()
            keys = self._jwks.keys
        if (keys is None or keys.get(kid) is None) and self._jwks.may_refetch_for(kid):
            self._jwks.refetch_for(kid)
            keys = self._jwks.keys
        return None if keys is None else keys.get(kid)

    def _note_failure(self, trouble: str) -> None:
        self._pause = self._ladder.failed(Step.POLL)
        self._retry_at = self._monotonic() + self._pause
        level = logging.DEBUG if self._is_out else logging.WARNING  # one line per outage
        self._is_out = True
        _log.log(level, "revocation list not refreshed, the last good one stays: %s", trouble)

    def _note_success(self, by: Step) -> None:
        if self._is_out:
            _log.info("revocation list is current again")
        self._is_out, self.by = False, by


def _end(pid: int | None, following: Following | None, report: ServiceReport | None) -> None:
    """Not for a forked child: these threads are its parent's, and a lock of theirs may be held for ever."""
    if pid == os.getpid() and following is not None:
        following.end()
        if report is not None:
            report.stop()


def _teller(source_ref: "ReferenceType[RevocationSource]") -> Callable[[], None]:
    """Whoever keeps this does not keep the source."""

    def tell() -> None:
        if (source := source_ref()) is not None:
            source.say_so()

    return tell


def _sayer(source_ref: "ReferenceType[RevocationSource]") -> Callable[[], Said | None]:
    def say() -> Said | None:
        source = source_ref()
        return None if source is None else source.said()

    return say
