"""Every statement about indexes, and the one that reads the revocation list as indexes.

Nobody writes down that an index is invalid: it follows from the entries of the revocation list, in the order in which
those became visible (revocations/store.py). So no trigger can be forgotten, and a sign-out costs nothing more.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, func, select, union_all

from authserver.database import upsert
from authserver.protocol.revocation import Kind
from authserver.revocations.models import revocation
from authserver.status_lists.bits import SIZE
from authserver.status_lists.models import status_index


class Given(NamedTuple):
    """An index, and for whom it stands."""

    number: int
    account_id: str
    session_id: str
    given_at: datetime
    expires_at: datetime


class Invalid(NamedTuple):
    """An index whose tokens are refused, until there are none any more."""

    number: int
    until: datetime


def add(db: Connection, given: Given) -> bool:
    """Take an index; say whether it was free. Of two that take the same at once, one waits and is told no."""
    return db.execute(_add(db.dialect.name), given._asdict()).scalar_one_or_none() is not None


def lists(db: Connection) -> int:
    """Answer how many lists there are, up to the last that is in use."""
    highest: int | None = db.execute(_HIGHEST).scalar_one()
    return 0 if highest is None else highest // SIZE + 1


def invalidated(db: Connection, *, since: int, now: datetime) -> Iterator[Invalid]:
    """Answer the indexes that living entries after `since` make invalid; one may come twice."""
    for number, until, expires_at in db.execute(_INVALIDATED, {"since": since, "now": now}):
        yield Invalid(number, min(until, expires_at))


def purge(db: Connection, expired_before: datetime, batch: int = 500) -> int:
    """Free up to `batch` indexes; answer how many."""
    gone = select(status_index.c.number).where(status_index.c.expires_at < expired_before).limit(batch)
    return db.execute(delete(status_index).where(status_index.c.number.in_(gone))).rowcount


@cache
def _add(dialect: str) -> Any:
    return upsert(dialect, status_index).on_conflict_do_nothing().returning(status_index.c.number)


def _invalid_by(kind: Kind) -> Select[Any]:
    return select(
        status_index.c.number, revocation.c.expires_at, status_index.c.expires_at.label("gone")
    ).where(
        revocation.c.kind == kind.value,
        revocation.c.sequence > bindparam("since"),
        revocation.c.expires_at > bindparam("now"),
        status_index.c.expires_at > bindparam("now"),
    )


_HIGHEST: Final = select(func.max(status_index.c.number))
_INVALIDATED: Final = union_all(
    _invalid_by(Kind.SID).where(status_index.c.session_id == revocation.c.value),
    _invalid_by(Kind.SUB).where(
        status_index.c.account_id == revocation.c.value, status_index.c.given_at < revocation.c.before
    ),
)
