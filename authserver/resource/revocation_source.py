"""Follows the issuer's revocation feed in the background, so that a logout is known here within a second.

Attacks: a forged list that brings the signed-out back or signs everybody out (the issuer's signature, by a key that is
not itself revoked); an old list replayed (`iat` and sequence only grow); a delta cut out of order (refused, and the
whole list is asked for); a list that is kept from us (its age is told, `freshness` decides).
"""

import logging
import os
from collections.abc import Callable
from random import random
from threading import Event, Lock, Thread
from time import monotonic, time
from typing import Final
from weakref import ReferenceType, ref

from authserver.resource.http import Fetch
from authserver.resource.jwks_source import JwksSource
from authserver.resource.keys import PublicKey
from authserver.resource.revocation_document import (
    UnusableDocument,
    issued_at,
    open_document,
    read_event,
)
from authserver.resource.revocation_set import Delta, RevocationSet, Snapshot
from authserver.resource.single_flight import SingleFlight

_log: Final = logging.getLogger("authserver.resource")

MAX_FEED: Final = 64 * 1_048_576
_OK: Final = 200
_NO_SUCH_LIST: Final = frozenset((400, 404, 410))  # an issuer may not know our sequence: ask for everything
_SKEW: Final = 60.0
_BETWEEN_NODES: Final = 10.0  # the clocks of an issuer's nodes; within it the sequence still only grows
_LONGEST_BACKOFF: Final = 30.0


class RevocationSource:
    """Keeps `revocations` current. Starts its thread at the first request: not at import, and again after a fork."""

    def __init__(
        self,
        url: str,
        fetch: Fetch,
        *,
        jwks: JwksSource,
        issuer: str,
        interval: float = 1.0,
        clock: Callable[[], float] = time,
        monotonic_clock: Callable[[], float] = monotonic,
        jitter: Callable[[], float] = random,
    ) -> None:
        self.revocations = RevocationSet()
        self._url, self._fetch, self._jwks, self._issuer = url, fetch, jwks, issuer
        self._interval, self._jitter = interval, jitter
        self._clock, self._monotonic = clock, monotonic_clock
        self._newest_iat = 0.0
        self._current_as_of: float | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._poll = SingleFlight(self._poll_now)
        self._pid: int | None = None
        self._starting = Lock()
        self._stop = Event()
        self._closed = False

    @property
    def age(self) -> float | None:
        """Seconds since the list was last known to be current; None when there never was one."""
        return None if self._current_as_of is None else max(0.0, self._monotonic() - self._current_as_of)

    @property
    def sequence(self) -> int:
        return self.revocations.sequence

    def must_wait(self) -> bool:
        """There is no list yet, and asking for it is due: the first request waits for it."""
        return self._current_as_of is None and self._monotonic() >= self._retry_at

    def poll_once(self) -> None:
        """Blocks for one round, or for the one under way. Never raises: `age` tells how it went."""
        self._poll.run()

    def next_delay(self) -> float:
        """Seconds until the next round: spread by a fifth so that services do not ask in step, longer after failures."""
        delay = min(self._interval * 2.0**self._failures, max(_LONGEST_BACKOFF, self._interval))
        return delay * (0.9 + 0.2 * self._jitter())

    def ensure_running(self) -> None:
        """Cheap enough for every request. A forked child has its parent's memory but not its threads."""
        if self._pid != os.getpid() and not self._closed:
            self._start()

    def close(self) -> None:
        """Stop following; what is known stays known, and ages."""
        self._closed = True
        self._stop.set()

    def _start(self) -> None:
        with self._starting:
            if self._pid == os.getpid():
                return
            self._stop = Event()
            self._pid = os.getpid()
        Thread(
            target=_follow, args=(ref(self), self._stop), name="authserver-revocations", daemon=True
        ).start()

    def _poll_now(self) -> None:
        try:
            self._catch_up()
        except Exception as error:  # noqa: BLE001 - whatever an issuer answers, the list that we have stays
            self._note_failure(f"{type(error).__name__}: {error}")
        else:
            self._note_success()
        self.revocations.forget(self._clock() - _SKEW)

    def _catch_up(self) -> None:
        known = self.revocations.epoch is not None
        if known and self._apply(f"{self._url}?since={self.revocations.sequence}"):
            return
        if not self._apply(self._url):
            raise UnusableDocument("not there, or older than the list that we have")

    def _apply(self, url: str) -> bool:
        """Fetch, verify and take over one document; False when it does not fit the list that we have."""
        asked_at = self._monotonic()
        answer = self._fetch(url, None)
        if answer.status in _NO_SUCH_LIST:
            return False
        if answer.status != _OK:
            raise UnusableDocument(f"status {answer.status}")
        claims = open_document(answer.body, self._key_for, self._issuer, max_length=MAX_FEED)
        iat = issued_at(claims)
        now = self._clock()
        if iat < self._newest_iat - _BETWEEN_NODES or iat > now + _SKEW:
            raise UnusableDocument("iat is older than the last document's, or in the future")
        event = read_event(claims)
        if not self._take(event):
            return False
        self._newest_iat = max(self._newest_iat, iat)
        # A document that is old already (a cache, a replay of the newest one) is as current as it was then.
        self._current_as_of = asked_at - (now - iat if now - iat > _SKEW else 0.0)
        return True

    def _take(self, event: Snapshot | Delta) -> bool:
        return self.revocations.extend(event) if isinstance(event, Delta) else self.revocations.replace(event)

    def _key_for(self, kid: str) -> PublicKey | None:
        """The issuer's key, unless it is revoked: a stolen key could sign a list that does not name it."""
        if kid in self.revocations.kids:
            return None
        if self._jwks.must_refresh():
            self._jwks.refresh()
        keys = self._jwks.keys
        if (keys is None or keys.get(kid) is None) and self._jwks.may_refetch_for(kid):
            self._jwks.refetch_for(kid)
            keys = self._jwks.keys
        return None if keys is None else keys.get(kid)

    def _note_failure(self, trouble: str) -> None:
        self._failures = min(self._failures + 1, 10)
        self._retry_at = self._monotonic() + self.next_delay()
        level = logging.WARNING if self._failures == 1 else logging.DEBUG  # one line per outage
        _log.log(level, "revocation list not refreshed, the last good one stays: %s", trouble)

    def _note_success(self) -> None:
        if self._failures:
            _log.info("revocation list is current again")
        self._failures = 0


def _follow(source_ref: "ReferenceType[RevocationSource]", stop: Event) -> None:
    """Holds the source only while it works, so that a source nobody uses any more ends its thread."""
    while True:
        source = source_ref()
        if source is None:
            return
        source.poll_once()
        delay = source.next_delay()
        del source
        if stop.wait(delay):
            return
