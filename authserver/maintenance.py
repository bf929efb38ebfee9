"""The recurring jobs, all of them: keys that are due, and rows that nobody needs any more.

Every server tries; the one that holds the lease works. Each job is safe to run twice, so a lease that is lost in the
middle does no harm. Rows go in small batches, each a transaction of its own, so that nobody waits for a purge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from authserver.accounts import devices, throttling
from authserver.authorizations import store as authorizations
from authserver.clients import store as clients
from authserver.clients.invited import store as invited
from authserver.clock import Clock
from authserver.database import Database
from authserver.deliveries import store as deliveries
from authserver.devices import store as device_authorizations
from authserver.keyring.rotation import Rotation
from authserver.leases import store as leases
from authserver.opaque import new_id
from authserver.replays import store as replays
from authserver.revocations import store as revocations
from authserver.services import store as services
from authserver.sessions import store as sessions
from authserver.status_lists import store as status_lists
from authserver.status_lists.live import FREE_AFTER

LEASE: Final = "maintenance"
LEASE_LASTS: Final = timedelta(seconds=60)
PURGE_EVERY: Final = timedelta(minutes=5)
KEPT_AFTER_ITS_END: Final = timedelta(days=7)  # a session, so that its owner can still be asked about it
HEARD_OF_ITS_END: Final = timedelta(hours=1)  # a device code, so that its device is told that it has expired
BATCH: Final = 500
MOST_BATCHES: Final = 200

Purge = Callable[[Connection, datetime], int]

PURGES: Final[dict[str, Purge]] = {
    "replays": lambda db, now: replays.purge(db, now, BATCH),
    "revocations": lambda db, now: revocations.purge(db, now, BATCH),
    "sessions": lambda db, now: sessions.purge(db, ended_before=now - KEPT_AFTER_ITS_END, batch=BATCH),
    "authorizations": lambda db, now: authorizations.purge(db, now - KEPT_AFTER_ITS_END, BATCH),
    "authorization_requests": lambda db, now: authorizations.purge_requests(db, now, BATCH),
    "device_authorizations": lambda db, now: device_authorizations.purge(db, now - HEARD_OF_ITS_END, BATCH),
    "deliveries": lambda db, now: deliveries.purge(db, now - KEPT_AFTER_ITS_END, BATCH),
    "invitations": lambda db, now: invited.purge(db, now, BATCH),
    "client_secrets": lambda db, now: clients.purge_secrets(db, now, BATCH),
    "known_devices": lambda db, now: devices.purge(db, now, BATCH),
    "status_indexes": lambda db, now: status_lists.purge(db, now - FREE_AFTER, BATCH),
    "throttle": lambda db, now: throttling.purge(db, now, BATCH),
    "service_instances": lambda db, now: services.purge(db, now, BATCH),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What one round did."""

    keys_changed: tuple[str, ...] = ()
    purged: dict[str, int] = field(default_factory=dict)


class Maintenance:
    """One round at a time, by whoever holds the lease."""

    def __init__(
        self, database: Database, rotation: Rotation, algorithms: Sequence[str], clock: Clock
    ) -> None:
        self._database = database
        self._rotation = rotation
        self._algorithms = algorithms
        self._clock = clock
        self._holder = new_id()
        self._purge_after = clock.now()

    def run_if_mine(self) -> Report | None:
        """Work if the lease is free or ours; answer None if another server does."""
        mine = self._database.write(
            lambda db: leases.acquire(db, LEASE, self._holder, now=self._clock.now(), lasting=LEASE_LASTS)
        )
        return self.run(purge=self._clock.now() >= self._purge_after) if mine else None

    def run(self, *, purge: bool = True) -> Report:
        """Do every job now."""
        changes = self._rotation.keep(self._algorithms)
        moved = tuple(f"{key.kid}: {key.state}" for change in changes for key in change.moved)
        if not purge:
            return Report(moved)
        self._purge_after = self._clock.now() + PURGE_EVERY
        return Report(moved, {name: self._purge(job) for name, job in PURGES.items()})

    def release(self) -> None:
        """Let another server go on at once, when this one stops."""
        self._database.write(lambda db: leases.release(db, LEASE, self._holder))

    def _purge(self, job: Purge) -> int:
        total = 0
        for _ in range(MOST_BATCHES):
            gone = self._database.write(lambda db: job(db, self._clock.now()))
            total += gone
            if gone < BATCH:
                break
        return total
