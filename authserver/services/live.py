"""What named services say, as a running server takes it: at once into memory, a moment later into the database.

After a sign-out every instance reports within the same tenth of a second; two thousand of them are one transaction.
Signs of life alone can wait some seconds. While the database is away, memory goes on; it is bounded by the number of
instances, whatever they say, and nobody can fill it alone: when it is full, an address that has the most makes room
for one that has fewer.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from authserver.clock import Clock
from authserver.database import Database
from authserver.logs import get_logger
from authserver.services import store
from authserver.services.alive import is_alive
from authserver.services.said import Said
from authserver.services.store import Instance

MOST: Final = 5_000
WRITE_EVERY: Final = 0.5  # seconds, where there is news
SIGNS_OF_LIFE_EVERY: Final = 5.0  # seconds; each write wakes whoever watches the database for changes
COMPLAIN_EVERY: Final = timedelta(minutes=1)

Key = tuple[str, str]

log = get_logger("authserver.services")


@dataclass(frozen=True, slots=True)
class Caller:
    """An instance, and the address that it called from last."""

    instance: Instance
    address: str


class LiveServices:
    """Hears on the event loop, writes from another thread; the lock is never held while the database is asked."""

    def __init__(self, database: Database, clock: Clock, most: int = MOST) -> None:
        self._database = database
        self._clock = clock
        self._most = most
        self._lock = Lock()
        self._callers: dict[Key, Caller] = {}  # whoever has been silent for longest comes first
        self._addresses: Counter[str] = Counter()
        self._unsaved: dict[Key, Instance] = {}
        self._news = False
        self._saved_at = clock.monotonic()
        self._complain_after: datetime | None = None

    def hear(self, said: Said, address: str) -> bool:
        """Take a report; answer False where there is no room for one more instance."""
        now = self._clock.now()
        with self._lock:
            caller = self._callers.get(said.key)
            if caller is None and not self._make_room(address, now):
                self._complain(now)
                return False
            self._keep(said, address, caller.instance if caller else None, now)
        return True

    def write_heard(self) -> int:
        """Write what is new, and answer how many rows that were. What cannot be written stays for the next time.

        :raises DatabaseUnavailable: nothing was lost.
        """
        with self._lock:
            self._forget_the_silent(self._clock.now())
            batch = self._due()
        if not batch:
            return 0
        written = False
        try:
            # Not worth a flush of the disk: it is said again within half a minute.
            self._database.write(lambda db: store.save(db, batch.values()), flush=False)
            written = True
        finally:
            with self._lock:
                self._written(batch, done=written)
        return len(batch)

    def _keep(self, said: Said, address: str, before: Instance | None, now: datetime) -> None:
        self._drop(said.key)
        after = said.at(now, before)
        self._callers[said.key] = Caller(after, address)
        self._addresses[address] += 1
        self._unsaved[said.key] = after
        self._news |= before is None or before.stand != after.stand

    def _make_room(self, address: str, now: datetime) -> bool:
        self._forget_the_silent(now)
        if len(self._callers) < self._most:
            return True
        crowd, count = self._addresses.most_common(1)[0]
        if count <= self._addresses[address] + 1:
            return False
        self._drop(next(key for key, caller in self._callers.items() if caller.address == crowd))
        return True

    def _forget_the_silent(self, now: datetime) -> None:
        """Let go of those who are not alive any more; what they said stays in the database for a day."""
        while self._callers:
            key, caller = next(iter(self._callers.items()))
            if is_alive(caller.instance, now):
                return
            self._drop(key)

    def _drop(self, key: Key) -> None:
        caller = self._callers.pop(key, None)
        self._unsaved.pop(key, None)
        if caller is None:
            return
        self._addresses[caller.address] -= 1
        if not self._addresses[caller.address]:
            del self._addresses[caller.address]

    def _due(self) -> dict[Key, Instance]:
        if not self._news and self._clock.monotonic() - self._saved_at < SIGNS_OF_LIFE_EVERY:
            return {}
        batch, self._unsaved, self._news = self._unsaved, {}, False
        return batch

    def _written(self, batch: dict[Key, Instance], *, done: bool) -> None:
        if done:
            self._saved_at = self._clock.monotonic()
            return
        living = {key: one for key, one in batch.items() if key in self._callers}
        self._unsaved = {**living, **self._unsaved}
        self._news = True

    def _complain(self, now: datetime) -> None:
        if self._complain_after is None or now >= self._complain_after:
            self._complain_after = now + COMPLAIN_EVERY
            log.warning("more instances of services report than are kept", most=self._most)
