"""The list as a running server holds it in memory: current within a second, ready to be signed and sent."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection

from authserver.clock import Clock
from authserver.database import Database
from authserver.revocations import store
from authserver.revocations.store import Head, Revocation

NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """One consistent view of the list: its head, the entries up to it in order, and when that was confirmed."""

    head: Head
    entries: tuple[Revocation, ...]
    confirmed_at: datetime
    next_expiry: datetime

    def after(self, since: int) -> tuple[Revocation, ...]:
        return self.entries[bisect_right(self.entries, since, key=lambda entry: entry.sequence) :]


class LiveRevocations:
    """Follows the list by its head; reads only what is new."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.known: Known | None = None
        self._database = database
        self._clock = clock

    def refresh(self) -> bool:
        """Look for new entries; say whether there were any.

        :raises DatabaseUnavailable: what is known stays, and grows old visibly.
        """
        asked_at = self._clock.now()
        before = self.known
        self.known = self._database.read(lambda db: self._read(db, before, asked_at))
        return before is None or before.head != self.known.head

    def _read(self, db: Connection, before: Known | None, now: datetime) -> Known:
        head = store.head(db)
        if before is None or before.head.epoch != head.epoch or before.head.sequence > head.sequence:
            return _known(head, store.after(db, 0, head.sequence, now), now)
        kept = before.entries
        if before.next_expiry <= now:
            kept = tuple(entry for entry in kept if entry.expires_at > now)
        elif head.sequence == before.head.sequence:
            return replace(before, confirmed_at=now)
        return _known(head, (*kept, *store.after(db, before.head.sequence, head.sequence, now)), now)


def _known(head: Head, entries: Iterable[Revocation], now: datetime) -> Known:
    listed = tuple(entries)
    return Known(head, listed, now, min((entry.expires_at for entry in listed), default=NEVER))
