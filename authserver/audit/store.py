"""Every statement of the audit log.

Rows are chained: each carries SHA-256(previous chain + its own content), and the one head row is locked while a row
is added. Taking out or changing a row breaks the chain from there on (`verify`). Somebody who can rewrite the whole
table can rewrite the chain as well, so the head is worth writing down elsewhere: `authserver audit verify` prints it.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from authserver.audit.models import audit_entry, audit_head

START: Final = bytes(32)
Actor = Literal["account", "operator", "server"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One security event. `detail` holds plain JSON values, never a secret."""

    event: str
    at: datetime
    actor: Actor = "server"
    account_id: str | None = None
    session_id: str | None = None
    address: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


FIELDS: Final = ("at", "event", "actor", "account_id", "session_id", "address", "detail")
_ONLY: Final = audit_head.c.id == 1
_NEXT: Final = (
    update(audit_head)
    .where(_ONLY)
    .values(sequence=audit_head.c.sequence + 1)
    .returning(audit_head.c.sequence, audit_head.c.chain)
)
_ADD: Final = insert(audit_entry)
_LINK: Final = update(audit_head).where(_ONLY).values(chain=bindparam("link"))


def record(db: Connection, entry: Entry) -> None:
    """Add an entry. Call it last in a transaction: it holds the head's lock until the commit."""
    head = db.execute(_NEXT).one()
    chain = _chain(head.chain, head.sequence, entry)
    db.execute(
        _ADD, {**{name: getattr(entry, name) for name in FIELDS}, "sequence": head.sequence, "chain": chain}
    )
    db.execute(_LINK, {"link": chain})


def entries(
    db: Connection, *, limit: int, account_id: str | None = None, event: str | None = None
) -> list[Row[Any]]:
    """Answer the newest entries first."""
    query = select(audit_entry).order_by(audit_entry.c.sequence.desc()).limit(limit)
    if account_id:
        query = query.where(audit_entry.c.account_id == account_id)
    if event:
        query = query.where(audit_entry.c.event == event)
    return list(db.execute(query))


@dataclass(frozen=True, slots=True)
class Verification:
    """`broken_at` is the sequence of the first row that does not fit, None when all do."""

    count: int
    head: str
    broken_at: int | None


def verify(db: Connection) -> Verification:
    """Walk the chain from its start to its head; entries that are added meanwhile are left to the next walk."""
    head = db.execute(select(audit_head)).one()
    chain, sequence = START, 0
    for sequence, row in enumerate(_upto(db, head.sequence), start=1):
        chain = _chain(chain, sequence, _entry(row))
        if row.sequence != sequence or row.chain != chain:
            return Verification(sequence, head.chain.hex(), sequence)
    whole = (sequence, chain) == (head.sequence, head.chain)
    return Verification(sequence, head.chain.hex(), None if whole else sequence + 1)


def _upto(db: Connection, sequence: int) -> Iterator[Row[Any]]:
    query = select(audit_entry).where(audit_entry.c.sequence <= sequence).order_by(audit_entry.c.sequence)
    yield from db.execute(query).yield_per(1000)


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.event, row.at, row.actor, row.account_id, row.session_id, row.address, row.detail)


def _chain(previous: bytes, sequence: int, entry: Entry) -> bytes:
    content = [
        sequence,
        entry.at.isoformat(),
        entry.event,
        entry.actor,
        entry.account_id,
        entry.session_id,
        entry.address,
        entry.detail,
    ]
    return hashlib.sha256(previous + json.dumps(content, sort_keys=True).encode()).digest()
