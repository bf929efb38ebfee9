"""The list as a running server holds it in memory: current within a second, ready to be signed and sent."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authserver.clock import Clock
from authserver.database import Database
from authserver.revocations import store
from authserver.revocations.store import Head, Revocation


@dataclass(frozen=True, slots=True)
class Known:
    """One consistent view of the list: its head, the entries up to it in order, and when that was confirmed."""

    head: Head
    entries: tuple[Revocation, ...]
    confirmed_at: datetime

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
            return Known(head, tuple(store.after(db, 0, head.sequence, now)), now)
        kept = before.entries
        if any(entry.expires_at <= now for entry in kept[:64]):  # the oldest expire first, or nearly so
            kept = tuple(entry for entry in kept if entry.expires_at > now)
        if head.sequence == before.head.sequence:
            return Known(head, kept, now)
        return Known(head, (*kept, *store.after(db, before.head.sequence, head.sequence, now)), now)
