"""The list as a verifier in this process asks it: by claim, in a microsecond, and as current as the server's own.

`LiveRevocations` keeps what will be sent, in its order; a resource service's `RevocationSet` keeps what is asked, by
value. This is the second, fed from the first: by what is new, and from the beginning where a database was restored.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from authserver.clock import ceil_seconds
from authserver.resource.revocation_set import Delta, Entry, RevocationSet, Snapshot
from authserver.revocations.live import Known, LiveRevocations
from authserver.revocations.store import Revocation

FORGET_EVERY: Final = timedelta(minutes=1)


class RevocationIndex:
    """Follows `LiveRevocations` when it is asked; any thread may ask."""

    def __init__(self, live: LiveRevocations) -> None:
        self._live = live
        self._followed: Known | None = None
        self._set: RevocationSet | None = None
        self._forget_at: datetime | None = None
        self._following = Lock()

    def current(self) -> RevocationSet | None:
        """Answer the list as this server knows it now; None when it has never read one."""
        if self._live.known is not self._followed:
            with self._following:
                self._follow(self._live.known)
        return self._set

    def _follow(self, known: Known | None) -> None:
        if known is None or known is self._followed:
            return
        if self._set is None or not self._extend(self._set, known):
            self._set = _begin(known)  # a new set, not `replace`: that one refuses to go back to an older day
            self._forget_at = None  # it may have been set by a clock that was ahead
        self._forget(self._set, known.confirmed_at)
        self._followed = known

    def _extend(self, revocations: RevocationSet, known: Known) -> bool:
        """Say whether the list went on from what was followed last, and follow it there."""
        before = self._followed
        if before is None or known.confirmed_at < before.confirmed_at:  # a clock was set back: see live.py
            return False
        if known.mark_at(before.head.sequence) != before.head.mark:
            return False
        if known.head == before.head:
            return True
        return revocations.extend(
            Delta(
                since=before.head.sequence,
                since_mark=before.head.mark,
                sequence=known.head.sequence,
                mark=known.head.mark,
                entries=_entries(known.after(before.head.sequence)),
            )
        )

    def _forget(self, revocations: RevocationSet, now: datetime) -> None:
        if self._forget_at is None or self._forget_at <= now:
            self._forget_at = now + FORGET_EVERY
            revocations.forget(now.timestamp())


def _begin(known: Known) -> RevocationSet:
    made = RevocationSet()
    made.replace(
        Snapshot(sequence=known.head.sequence, mark=known.head.mark, entries=_entries(known.entries))
    )
    return made


def _entries(listed: Iterable[Revocation]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            kind=entry.kind,
            value=entry.value,
            exp=ceil_seconds(entry.expires_at),
            before=None if entry.before is None else ceil_seconds(entry.before),
        )
        for entry in listed
    )
