"""Every statement of the account table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from authserver.accounts.models import account
from authserver.accounts.profile import Profile
from authserver.accounts.usernames import Username
from authserver.opaque import new_id


@dataclass(frozen=True, slots=True)
class Account:
    """A person's record. `id` is `sub` on the wire; `password_hash` never leaves the server."""

    id: str
    username: Username
    display_name: str
    password_hash: str | None
    roles: tuple[str, ...]
    created_at: datetime
    password_changed_at: datetime | None
    disabled_at: datetime | None
    tokens_not_before: datetime | None
    signed_out_at: datetime | None = None


class UsernameTaken(Exception):
    """An account with this canonical name exists already."""


COLUMNS = (
    account.c.id,
    account.c.username,
    account.c.display_name,
    account.c.password_hash,
    account.c.roles,
    account.c.created_at,
    account.c.password_changed_at,
    account.c.disabled_at,
    account.c.tokens_not_before,
    account.c.signed_out_at,
)


def create(
    db: Connection,
    username: Username,
    *,
    display_name: str,
    password_hash: str | None,
    roles: Iterable[str],
    now: datetime,
) -> Account:
    """Add an account.

    :raises UsernameTaken: the name is in use; the transaction is lost.
    """
    made = Account(
        new_id(),
        username,
        display_name,
        password_hash,
        tuple(sorted(set(roles))),
        now,
        now if password_hash else None,
        None,
        None,
    )
    try:
        db.execute(
            insert(account).values(
                id=made.id,
                username=made.username,
                display_name=made.display_name,
                password_hash=made.password_hash,
                roles=list(made.roles),
                created_at=made.created_at,
                password_changed_at=made.password_changed_at,
            )
        )
    except IntegrityError:
        raise UsernameTaken(username) from None
    return made


# Built once: building a statement takes longer than running it on SQLite.
_BY_USERNAME: Final = select(*COLUMNS).where(account.c.username == bindparam("username"))
_BY_ID: Final = select(*COLUMNS).where(account.c.id == bindparam("id"))
_LOCKED: Final = _BY_ID.with_for_update()
_PROFILE: Final = select(account.c.claims, account.c.groups).where(account.c.id == bindparam("id"))


def by_username(db: Connection, username: Username) -> Account | None:
    return _one(db, _BY_USERNAME, {"username": username})


def by_id(db: Connection, account_id: str) -> Account | None:
    return _one(db, _BY_ID, {"id": account_id})


def locked(db: Connection, account_id: str) -> Account | None:
    """Read an account and hold it until the transaction ends, so that its sign-in and its lock-out take turns."""
    return _one(db, _LOCKED, {"id": account_id})


def profile(db: Connection, account_id: str) -> Profile:
    """Answer what apps may be told of a person. Apart from the account: a sign-in and a refresh need none of it."""
    row = db.execute(_PROFILE, {"id": account_id}).one_or_none()
    return Profile() if row is None else Profile(row.claims, tuple(row.groups))


def set_profile(db: Connection, account_id: str, wanted: Profile) -> None:
    change(db, account_id, claims=dict(wanted.claims), groups=list(wanted.groups))


def page(db: Connection, *, after: str = "", limit: int = 100) -> list[Account]:
    """Answer accounts in the order of their names, those behind `after`."""
    query = select(*COLUMNS).where(account.c.username > after).order_by(account.c.username).limit(limit)
    return [from_row(row) for row in db.execute(query)]


def change(db: Connection, account_id: str, **columns: Any) -> None:
    """Set columns of one account."""
    db.execute(update(account).where(account.c.id == account_id).values(**columns))


def from_row(row: Sequence[Any]) -> Account:
    """Build an account from a row that begins with `COLUMNS`."""
    identity, username, display_name, password_hash, roles, *moments = row[: len(COLUMNS)]
    return Account(identity, Username(username), display_name, password_hash, tuple(roles), *moments)


def _one(db: Connection, query: Select[Any], values: dict[str, str]) -> Account | None:
    row = db.execute(query, values).one_or_none()
    return None if row is None else from_row(row)
