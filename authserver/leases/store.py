"""Every statement of the leases."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, or_, update

from authserver.database import insert_missing
from authserver.leases.models import lease

NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)


def acquire(db: Connection, name: str, holder: str, *, now: datetime, lasting: timedelta) -> bool:
    """Take or renew a lease by one conditional write; say whether it is `holder`'s now."""
    insert_missing(db, lease, name=name, holder="", expires_at=NEVER)
    free = or_(lease.c.holder == holder, lease.c.expires_at <= now)
    taken = update(lease).where(lease.c.name == name, free).values(holder=holder, expires_at=now + lasting)
    return db.execute(taken).rowcount == 1


def release(db: Connection, name: str, holder: str) -> None:
    db.execute(update(lease).where(lease.c.name == name, lease.c.holder == holder).values(expires_at=NEVER))
