"""Every statement of the table of device authorization requests.

The decision is claimed by an `UPDATE` that only one can win; the tokens of a yes are claimed where they are given out
(authorizations/grants.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, select, update

from authserver.database import upsert
from authserver.devices.models import device_authorization as table
from authserver.opaque import SecretHash


@dataclass(frozen=True, slots=True)
class Asked:
    """What a device asks for, from where, and how far it has come."""

    device_code_hash: bytes
    user_code_hash: bytes
    client_id: str
    scope: str
    audience: Sequence[str]
    address: str | None
    user_agent: str | None
    created_at: datetime
    expires_at: datetime
    interval: int
    last_poll_at: datetime | None = None
    allowed: bool | None = None
    grant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided, and what came of it."""

    account_id: str
    session_id: str
    grant_id: str | None  # None: it was a no


COLUMNS: Final = tuple(table.c[field.name] for field in fields(Asked))
_HELD: Final = select(*COLUMNS).where(table.c.device_code_hash == bindparam("code")).with_for_update()
_WAITING: Final = (
    select(*COLUMNS)
    .where(
        table.c.user_code_hash == bindparam("code"),
        table.c.expires_at > bindparam("now"),
        table.c.allowed.is_(None),
    )
    .with_for_update()
)
_POLLED: Final = (
    update(table)
    .where(table.c.device_code_hash == bindparam("code"))
    .values(last_poll_at=bindparam("now"), interval=bindparam("seconds"))
)
_DECIDE: Final = (
    update(table)
    .where(
        table.c.device_code_hash == bindparam("code"),
        table.c.expires_at > bindparam("now"),
        table.c.allowed.is_(None),
    )
    .values(
        allowed=bindparam("yes"),
        account_id=bindparam("account"),
        session_id=bindparam("session"),
        grant_id=bindparam("grant"),
    )
)


def add(db: Connection, made: Asked) -> bool:
    """Add a request; answer False where its user code is in use."""
    row = {column.name: getattr(made, column.name) for column in COLUMNS}
    row["audience"] = list(made.audience)
    return db.execute(_adding(db.dialect.name), row).one_or_none() is not None


def hold(db: Connection, device_code_hash: SecretHash) -> Asked | None:
    """Read the request of a device and hold it until the transaction ends: two polls at once take turns."""
    row = db.execute(_HELD, {"code": device_code_hash}).one_or_none()
    return None if row is None else Asked(*row)


def waiting(db: Connection, user_code_hash: SecretHash, *, now: datetime) -> Asked | None:
    """Answer the request behind a user code, while nobody has decided about it; two who decide at once take turns."""
    row = db.execute(_WAITING, {"code": user_code_hash, "now": now}).one_or_none()
    return None if row is None else Asked(*row)


def polled(db: Connection, asked: Asked, *, now: datetime, interval: int) -> None:
    db.execute(_POLLED, {"code": asked.device_code_hash, "now": now, "seconds": interval})


def decide(db: Connection, asked: Asked, decision: Decision, *, now: datetime) -> bool:
    """Claim the one decision; answer False if somebody was faster, or it is too late."""
    values = {
        "code": asked.device_code_hash,
        "now": now,
        "yes": decision.grant_id is not None,
        "account": decision.account_id,
        "session": decision.session_id,
        "grant": decision.grant_id,
    }
    return db.execute(_DECIDE, values).rowcount == 1


def purge(db: Connection, before: datetime, batch: int) -> int:
    """Delete up to `batch` requests that expired before then; answer how many."""
    gone = select(table.c.device_code_hash).where(table.c.expires_at < before).limit(batch)
    return db.execute(delete(table).where(table.c.device_code_hash.in_(gone))).rowcount


@cache
def _adding(dialect: str) -> Any:
    """Built once: building a statement takes longer than running it on SQLite."""
    return upsert(dialect, table).on_conflict_do_nothing().returning(table.c.device_code_hash)
