"""The revocation list in memory: a million entries, one dictionary look-up per kind, no scan on a request's path.

Values and the minute of their expiry are all that is stored; the strings are shared between the table that is asked
and the minute that forgets them. One thread writes (the source), any number of threads ask.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from authserver.protocol.revocation import WITH_CUTOFF, Kind

_MINUTE: Final = 60  # an entry is kept up to this much longer than it must be


class Entry(NamedTuple):
    """One revocation. Tokens with `iat` < `before` are meant; all tokens where there is no `before`."""

    kind: Kind
    value: str
    exp: int
    before: int | None = None


class Position(NamedTuple):
    """Where a reader stands: the list as it was at `sequence`, in the history that gave it the name `mark`."""

    sequence: int
    mark: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole list: it replaces everything."""

    sequence: int
    mark: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """The entries after `since`, for whoever stands there. Without entries: there is nothing new."""

    since: int
    since_mark: str
    sequence: int
    mark: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Reset:
    """The position (`since`, `since_mark`) is not of this history, which stands at (`sequence`, `mark`)."""

    since: int
    since_mark: str
    sequence: int
    mark: str


class _Tables:
    """What is revoked, by kind and value; and what to forget, by kind and minute."""

    __slots__ = ("_before", "_minutes", "_until", "client_ids", "grant_ids", "jtis", "kids", "sids", "subs")

    def __init__(self) -> None:
        self._until: dict[Kind, dict[str, int]] = {kind: {} for kind in Kind}
        self._before: dict[Kind, dict[str, int]] = {kind: {} for kind in WITH_CUTOFF}
        # With each minute's values its number once more: a million equal integers are a million objects.
        self._minutes: dict[Kind, dict[int, tuple[int, list[str]]]] = {kind: {} for kind in Kind}
        self.jtis = self._until[Kind.JTI]
        self.grant_ids = self._until[Kind.GRANT_ID]
        self.sids = self._until[Kind.SID]
        self.subs = self._until[Kind.SUB]
        self.client_ids = self._until[Kind.CLIENT_ID]
        self.kids = self._until[Kind.KID]

    def add(self, entry: Entry) -> None:
        """Of two entries for one value the later cut-off and the later expiry win: they contain the others."""
        minute, values = self._minute_of(entry)
        until = self._until[entry.kind]
        if minute > until.get(entry.value, -1):
            values.append(entry.value)
            until[entry.value] = minute
        if entry.before is not None:
            before = self._before[entry.kind]
            before[entry.value] = max(entry.before, before.get(entry.value, 0))

    def entry_for(self, claims: Mapping[str, Any], kid: str) -> Entry | None:
        """Which entry it is, now that one is likely: a cut-off may lie before the token."""
        for kind, value in (
            (Kind.SID, claims.get("sid", "")),
            (Kind.GRANT_ID, claims.get("grant_id", "")),
            (Kind.JTI, claims["jti"]),
            (Kind.KID, kid),
            (Kind.SUB, claims["sub"]),
            (Kind.CLIENT_ID, claims["client_id"]),
        ):
            minute = self._until[kind].get(value)
            before = self._before[kind].get(value, 0) if kind in WITH_CUTOFF else None
            if minute is not None and (before is None or claims["iat"] < before):
                return Entry(kind, value, minute * _MINUTE, before)
        return None

    def forget(self, now: float) -> None:
        for kind, minutes in self._minutes.items():
            for minute in [minute for minute in minutes if minute * _MINUTE <= now]:
                self._forget_values(kind, *minutes.pop(minute))

    def _forget_values(self, kind: Kind, minute: int, values: list[str]) -> None:
        until, before = self._until[kind], self._before.get(kind, {})
        for value in values:
            if until.get(value, minute) <= minute:  # else revoked once more, until later
                until.pop(value, None)
                before.pop(value, None)

    def _minute_of(self, entry: Entry) -> tuple[int, list[str]]:
        minute = -(-entry.exp // _MINUTE)
        return self._minutes[entry.kind].setdefault(minute, (minute, []))

    def __len__(self) -> int:
        return sum(len(table) for table in self._until.values())


class RevocationSet:
    """The list as of `position`; empty, and standing nowhere, before its first snapshot."""

    def __init__(self) -> None:
        self.position: Position | None = None
        self.kids: frozenset[str] = frozenset()
        self._tables = _Tables()
        self._way_back: Reset | None = None

    @property
    def sequence(self) -> int:
        return self.position.sequence if self.position else 0

    @property
    def mark(self) -> str | None:
        return self.position.mark if self.position else None

    def take(self, event: Snapshot | Delta | Reset) -> bool:
        """False when `event` does not fit where the list stands: then nothing has changed."""
        if isinstance(event, Snapshot):
            return self.replace(event)
        return self.extend(event) if isinstance(event, Delta) else self.reset(event)

    def replace(self, snapshot: Snapshot) -> bool:
        """False for a snapshot older than the list: a replay must not bring anybody back."""
        if snapshot.sequence < self._oldest_acceptable:
            return False
        tables = _Tables()
        for entry in snapshot.entries:
            tables.add(entry)
        self._tables = tables  # one assignment: readers see the old list or the new one
        self._now_at(Position(snapshot.sequence, snapshot.mark))
        return True

    def extend(self, delta: Delta) -> bool:
        """False when `delta` does not continue this list; then only a snapshot helps."""
        if (delta.since, delta.since_mark) != self.position or delta.sequence < delta.since:
            return False
        for entry in delta.entries:
            self._tables.add(entry)
        self._now_at(Position(delta.sequence, delta.mark))
        return True

    def reset(self, reset: Reset) -> bool:
        """Allow one step back, to a snapshot of the history that `reset` speaks for. What is known stays until then.

        False unless it names exactly where the list stands: who replays the reset of another day leads nobody back.
        """
        if (reset.since, reset.since_mark) != self.position:
            return False
        self._way_back = reset
        return True

    def forget(self, now: float) -> None:
        """Drop what has expired: work for the entries of the minutes gone by, not for the list."""
        self._tables.forget(now)
        self.kids = frozenset(self._tables.kids)

    def hit(self, claims: Mapping[str, Any], kid: str) -> Entry | None:
        """The entry that ends a token with these verified claims, signed by key `kid`."""
        tables = self._tables
        if (
            claims.get("sid") in tables.sids
            or claims.get("grant_id") in tables.grant_ids
            or claims["jti"] in tables.jtis
            or claims["sub"] in tables.subs
            or claims["client_id"] in tables.client_ids
            or kid in tables.kids
        ):
            return tables.entry_for(claims, kid)
        return None

    def __len__(self) -> int:
        return len(self._tables)

    @property
    def _oldest_acceptable(self) -> int:
        return self._way_back.sequence if self._way_back else self.sequence

    def _now_at(self, position: Position) -> None:
        if position != self.position:
            self._way_back = None
        self.position = position
        self.kids = frozenset(self._tables.kids)
