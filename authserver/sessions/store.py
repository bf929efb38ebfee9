"""Every statement of the session table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    insert,
    or_,
    select,
    update,
)

from authserver.accounts import store as accounts
from authserver.accounts.models import account
from authserver.accounts.store import Account
from authserver.opaque import SecretHash
from authserver.sessions.models import session


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `id` is `sid` on the wire."""

    id: str
    account_id: str
    started_at: datetime
    authenticated_at: datetime
    amr: tuple[str, ...]
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    address: str | None
    user_agent: str | None
    status_index: int | None = None


class Ended(NamedTuple):
    """A session that has just ended, and whose it was."""

    id: str
    account_id: str


COLUMNS = (
    session.c.id,
    session.c.account_id,
    session.c.started_at,
    session.c.authenticated_at,
    session.c.amr,
    session.c.last_seen_at,
    session.c.expires_at,
    session.c.ended_at,
    session.c.address,
    session.c.user_agent,
    session.c.status_index,
)


# Statements of the hot paths are built once: building one takes longer than running it on SQLite.
_ALIVE: Final = and_(
    session.c.ended_at.is_(None),
    session.c.expires_at > bindparam("now"),
    session.c.last_seen_at > bindparam("seen_after"),
)
_ADD: Final = insert(session)
_BY_SECRET: Final = (
    select(*accounts.COLUMNS, *COLUMNS)
    .join(account, account.c.id == session.c.account_id)
    .where(session.c.secret_hash == bindparam("secret"), _ALIVE, account.c.disabled_at.is_(None))
)
_BY_ID: Final = (
    select(*accounts.COLUMNS, *COLUMNS)
    .join(account, account.c.id == session.c.account_id)
    .where(session.c.id == bindparam("sid"), _ALIVE, account.c.disabled_at.is_(None))
)
# `last_seen_at` never goes back, whatever the clocks of several servers say: no token's `iat` is later.
_LATER: Final = case(
    (session.c.last_seen_at > bindparam("now"), session.c.last_seen_at), else_=bindparam("now")
)
_TOUCH: Final = update(session).where(session.c.id == bindparam("sid"), _ALIVE).values(last_seen_at=_LATER)
_RENEW: Final = (
    update(session)
    .where(session.c.secret_hash == bindparam("secret"), _ALIVE)
    .values(last_seen_at=_LATER)
    .returning(*COLUMNS)
)

_RENEW_BY_ID: Final = (
    update(session)
    .where(session.c.id == bindparam("sid"), _ALIVE)
    .values(last_seen_at=_LATER)
    .returning(*COLUMNS)
)

_ENDING: Final = (
    update(session)
    .where(session.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(session.c.id, session.c.account_id)
)
_END: Final = _ENDING.where(session.c.id.in_(bindparam("sids", expanding=True)))
_END_ALL: Final = _ENDING.where(session.c.account_id == bindparam("account"))


def add(db: Connection, made: Session, secret_hash: SecretHash) -> None:
    row = {column.name: getattr(made, column.name) for column in COLUMNS}
    db.execute(_ADD, {**row, "secret_hash": secret_hash, "amr": list(made.amr)})


def authenticate_again(db: Connection, renewed: Session, secret_hash: SecretHash) -> None:
    """Put a new secret in the place of the old one, and note when and how its person proved who they are."""
    values = {
        "secret_hash": secret_hash,
        "authenticated_at": renewed.authenticated_at,
        "amr": list(renewed.amr),
        "last_seen_at": renewed.last_seen_at,
        "expires_at": renewed.expires_at,
    }
    db.execute(update(session).where(session.c.id == renewed.id).values(values))


def by_secret(
    db: Connection, secret_hash: SecretHash, *, now: datetime, seen_after: datetime
) -> tuple[Session, Account] | None:
    """Answer the living session that a cookie opens, and its account, in one read."""
    return _found(db, _BY_SECRET, {"secret": secret_hash, "now": now, "seen_after": seen_after})


def by_id(
    db: Connection, session_id: str, *, now: datetime, seen_after: datetime
) -> tuple[Session, Account] | None:
    """Answer a living session and its account."""
    return _found(db, _BY_ID, {"sid": session_id, "now": now, "seen_after": seen_after})


def touch(db: Connection, session_id: str, *, now: datetime, seen_after: datetime) -> None:
    """Note that a session was used, if it still lives."""
    db.execute(_TOUCH, {"sid": session_id, "now": now, "seen_after": seen_after})


def renew(db: Connection, secret_hash: SecretHash, *, now: datetime, seen_after: datetime) -> Session | None:
    """Note that a living session was used, and answer it: the same statement waits for a sign-out under way."""
    row = db.execute(_RENEW, {"secret": secret_hash, "now": now, "seen_after": seen_after}).one_or_none()
    return None if row is None else _session(row)


def renew_by_id(db: Connection, session_id: str, *, now: datetime, seen_after: datetime) -> Session | None:
    """Do as `renew`, for whoever knows which session it is and not its secret."""
    row = db.execute(_RENEW_BY_ID, {"sid": session_id, "now": now, "seen_after": seen_after}).one_or_none()
    return None if row is None else _session(row)


def end(db: Connection, session_ids: Iterable[str], *, now: datetime) -> list[Ended]:
    """End sessions that have not ended; answer which those were."""
    return [Ended(*row) for row in db.execute(_END, {"sids": list(session_ids), "now": now})]


def end_all(db: Connection, account_id: str, *, now: datetime) -> list[Ended]:
    """End every session of an account; answer which."""
    return [Ended(*row) for row in db.execute(_END_ALL, {"account": account_id, "now": now})]


def newest_use(db: Connection, account_id: str) -> datetime | None:
    """Hold every living session of an account, and answer when one was last used: no token of it is newer."""
    living = select(session.c.last_seen_at).where(
        session.c.account_id == account_id, session.c.ended_at.is_(None)
    )
    return max(db.execute(living.with_for_update()).scalars(), default=None)


def of_account(db: Connection, account_id: str, *, now: datetime, seen_after: datetime) -> list[Session]:
    """Answer an account's living sessions, the latest used first."""
    query = select(*COLUMNS).where(session.c.account_id == account_id, _ALIVE)
    query = query.order_by(session.c.last_seen_at.desc()).limit(1000)
    return [_session(row) for row in db.execute(query, {"now": now, "seen_after": seen_after})]


def set_status_index(db: Connection, session_id: str, number: int) -> None:
    """Let the tokens of a session carry this index from now on."""
    db.execute(update(session).where(session.c.id == session_id).values(status_index=number))


def drop_status_indexes(db: Connection, account_id: str) -> None:
    """Let no token of an account carry an index that one carries now; each session is given another when it asks."""
    living = session.c.account_id == account_id, session.c.ended_at.is_(None)
    db.execute(update(session).where(*living).values(status_index=None))


def page(db: Connection, *, now: datetime, seen_after: datetime, limit: int) -> list[tuple[Session, Account]]:
    """Answer living sessions of all accounts, the latest used first."""
    query = (
        select(*accounts.COLUMNS, *COLUMNS)
        .join(account, account.c.id == session.c.account_id)
        .where(_ALIVE)
        .order_by(session.c.last_seen_at.desc())
        .limit(limit)
    )
    rows = db.execute(query, {"now": now, "seen_after": seen_after})
    return [(_session(row[len(accounts.COLUMNS) :]), accounts.from_row(row)) for row in rows]


def owner(db: Connection, session_id: str) -> str | None:
    """Answer the account of a session, ended or not."""
    return db.execute(select(session.c.account_id).where(session.c.id == session_id)).scalar_one_or_none()


def look(db: Connection, session_id: str) -> Session | None:
    """Answer a session, ended or not."""
    row = db.execute(select(*COLUMNS).where(session.c.id == session_id)).one_or_none()
    return None if row is None else _session(row)


def purge(db: Connection, *, ended_before: datetime, batch: int = 500) -> int:
    """Delete up to `batch` sessions that ended or expired before then; answer how many."""
    dead = or_(session.c.ended_at < ended_before, session.c.expires_at < ended_before)
    gone = select(session.c.id).where(dead).limit(batch)
    return db.execute(delete(session).where(session.c.id.in_(gone))).rowcount


def _found(db: Connection, query: Select[Any], values: dict[str, Any]) -> tuple[Session, Account] | None:
    row = db.execute(query, values).one_or_none()
    return None if row is None else (_session(row[len(accounts.COLUMNS) :]), accounts.from_row(row))


def _session(row: Sequence[Any]) -> Session:
    identity, account_id, started_at, authenticated_at, amr, *rest = row
    return Session(identity, account_id, started_at, authenticated_at, tuple(amr), *rest)
