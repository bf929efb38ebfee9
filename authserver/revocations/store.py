"""Every statement of the revocation list.

The sequence comes from one row that is locked until the commit, not from a database sequence: numbers then become
visible in their own order, so a reader that has seen 18 has seen everything up to 18. (A database sequence hands out
18 and 19, and 19 may be committed first: a reader that asks "after 19" never hears of 18.) With each number the list
gets a random mark, by which a reader tells this history from another one that counted as far.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from authserver.database import announce
from authserver.opaque import new_id
from authserver.protocol.revocation import WITH_CUTOFF, Kind
from authserver.revocations.models import revocation, revocation_head


@dataclass(frozen=True, slots=True)
class Revocation:
    """One entry of the list. `before` stands on the kinds `sub` and `client_id`, and only there."""

    sequence: int
    kind: Kind
    value: str
    before: datetime | None
    created_at: datetime
    expires_at: datetime
    mark: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far the list goes, and its mark there."""

    sequence: int
    mark: str


# A purge cannot be taken back: the clock of whoever purges may be ahead by less than this, and no living entry is lost.
KEPT_AFTER_EXPIRY: Final = timedelta(days=1)

_NEXT: Final = (
    update(revocation_head)
    .where(revocation_head.c.id == 1)
    .values(sequence=revocation_head.c.sequence + 1, mark=bindparam("new_mark"))
    .returning(revocation_head.c.sequence)
)
_ADD: Final = insert(revocation)
_HEAD: Final = select(revocation_head.c.sequence, revocation_head.c.mark)


def append(
    db: Connection,
    kind: Kind,
    value: str,
    *,
    now: datetime,
    expires_at: datetime,
    before: datetime | None = None,
) -> int:
    """Add an entry and answer its sequence. Call it late in a transaction: it holds the list's lock."""
    if (before is not None) != (kind in WITH_CUTOFF):
        raise ValueError(
            f"a revocation of kind {kind} {'needs a' if kind in WITH_CUTOFF else 'has no'} cut-off"
        )
    mark = new_id()
    sequence: int = db.execute(_NEXT, {"new_mark": mark}).scalar_one()
    row = {"sequence": sequence, "kind": kind.value, "value": value, "before": before}
    db.execute(_ADD, {**row, "created_at": now, "expires_at": expires_at, "mark": mark})
    announce(db)
    return sequence


def head(db: Connection) -> Head:
    row = db.execute(_HEAD).one()
    return Head(row.sequence, row.mark)


def mark_at(db: Connection, sequence: int) -> str | None:
    """Answer the mark that the list had there; None where it never was, and where nobody remembers."""
    row = db.execute(_HEAD).one()
    if row.sequence == sequence:
        return str(row.mark)
    return db.execute(select(revocation.c.mark).where(revocation.c.sequence == sequence)).scalar_one_or_none()


def after(db: Connection, since: int, upto: int, now: datetime) -> list[Revocation]:
    """Answer the living entries with `since` < sequence ≤ `upto`, in order."""
    query = (
        select(revocation)
        .where(revocation.c.sequence > since, revocation.c.sequence <= upto, revocation.c.expires_at > now)
        .order_by(revocation.c.sequence)
    )
    return [
        Revocation(
            row.sequence, Kind(row.kind), row.value, row.before, row.created_at, row.expires_at, row.mark
        )
        for row in db.execute(query)
    ]


def purge(db: Connection, now: datetime, batch: int = 500) -> int:
    """Delete up to `batch` entries whose tokens have all expired, a day ago; answer how many."""
    expired_before = now - KEPT_AFTER_EXPIRY
    gone = select(revocation.c.sequence).where(revocation.c.expires_at <= expired_before).limit(batch)
    return db.execute(delete(revocation).where(revocation.c.sequence.in_(gone))).rowcount
