"""The list as a running server holds it in memory: current within a second, ready to be signed and sent.

A clock that leaps ahead makes living entries look expired. Memory forgets them, the table keeps them for a day longer
(store.py); when the clock is set right again the list is read anew, so nobody who was signed out comes back by it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from sqlalchemy import Connection

from authserver.clock import Clock
from authserver.database import Database
from authserver.revocations import store
from authserver.revocations.store import Head, Revocation

# What has expired is dropped together once in a while: it does no harm in a list, and dropping means copying.
FORGET_EVERY: Final = timedelta(minutes=1)
PAST_HEADS: Final = 8


def _sequence(entry: Revocation) -> int:
    return entry.sequence


@dataclass(frozen=True, slots=True)
class Known:
    """One consistent view of the list: its head, the entries up to it in order, and when that was confirmed."""

    head: Head
    entries: tuple[Revocation, ...]
    confirmed_at: datetime
    forget_at: datetime
    past: tuple[Head, ...] = ()  # heads that were: their entries expire, their readers may still stand there

    def after(self, since: int) -> tuple[Revocation, ...]:
        return self.entries[bisect_right(self.entries, since, key=_sequence) :]

    def count_after(self, since: int) -> int:
        return len(self.entries) - bisect_right(self.entries, since, key=_sequence)

    def mark_at(self, sequence: int) -> str | None:
        """Answer the list's mark as it was there; None where it never was, or nobody remembers."""
        for head in (self.head, *reversed(self.past)):
            if head.sequence == sequence:
                return head.mark
        at = bisect_left(self.entries, sequence, key=_sequence)
        found = self.entries[at] if at < len(self.entries) else None
        return found.mark if found is not None and found.sequence == sequence else None


class LiveRevocations:
    """Follows the list by its head; reads only what is new."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.known: Known | None = None
        self._database = database
        self._clock = clock
        self._reading = Lock()

    def refresh(self) -> bool:
        """Look for new entries; say whether there were any.

        :raises DatabaseUnavailable: what is known stays, and grows old visibly.
        """
        with self._reading:
            asked_at = self._clock.now()
            before = self.known
            self.known = self._database.read(lambda db: _read(db, before, asked_at))
            return before is None or before.head != self.known.head


def _read(db: Connection, before: Known | None, now: datetime) -> Known:
    head = store.head(db)
    if before is None or now < before.confirmed_at or not _continues(db, before.head, head):
        return _begin(head, store.after(db, 0, head.sequence, now), now)
    found = replace(before, confirmed_at=now)
    if head != before.head:
        new = store.after(db, before.head.sequence, head.sequence, now)
        past = (*before.past, before.head)[-PAST_HEADS:]
        found = replace(found, head=head, entries=(*before.entries, *new), past=past)
    return _without_expired(found, now) if before.forget_at <= now else found


def _continues(db: Connection, known: Head, head: Head) -> bool:
    """Say whether the list went on from what is known; it has not where the database was restored in between."""
    if head.sequence <= known.sequence:
        return head == known
    return store.mark_at(db, known.sequence) in (known.mark, None)


def _begin(head: Head, entries: Iterable[Revocation], now: datetime) -> Known:
    return Known(head, tuple(entries), now, now + FORGET_EVERY)


def _without_expired(known: Known, now: datetime) -> Known:
    living = tuple(entry for entry in known.entries if entry.expires_at > now)
    return replace(known, entries=living, forget_at=now + FORGET_EVERY)
