"""Every statement of the tables of clients."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Self

from sqlalchemy import Connection, bindparam, insert, or_, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import IntegrityError

from authserver.clients.models import client, client_secret
from authserver.clients.registration import Registration
from authserver.opaque import SecretHash, new_id

LONGEST_ID: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(Registration):
    """A registered application, as it is in the table."""

    client_id: str
    registered_by: str  # "operator", or the initial access token's id
    created_at: datetime
    disabled_at: datetime | None = None
    tokens_not_before: datetime | None = None

    @classmethod
    def of(cls, registration: Registration, client_id: str, *, registered_by: str, now: datetime) -> Self:
        """Make a client of what was registered just now."""
        values = {field.name: getattr(registration, field.name) for field in fields(Registration)}
        return cls(**values, client_id=client_id, registered_by=registered_by, created_at=now)


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """One secret of a client: the hash opens nothing. `expires_at` is None until another takes its place."""

    hash: SecretHash
    created_at: datetime
    expires_at: datetime | None

    def alive(self, now: datetime) -> bool:
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, slots=True)
class Registered:
    """A client and its secrets, in no order; one that has expired may still be among them (`secrets.is_one_of`)."""

    client: Client
    secrets: tuple[StoredSecret, ...]


class ClientIdTaken(Exception):
    """A client with this id exists already."""


NAMES: Final = tuple(field.name for field in fields(Client))
COLUMNS: Final = tuple(client.c[name] for name in NAMES)
LISTS: Final = ("redirect_uris", "post_logout_redirect_uris", "grant_types", "audiences", "contacts")

# Built once: building a statement takes longer than running it on SQLite.
_WITH_SECRETS: Final = (
    select(*COLUMNS, client_secret.c.secret_hash, client_secret.c.created_at, client_secret.c.expires_at)
    .outerjoin(client_secret, client_secret.c.client_id == client.c.client_id)
    .where(client.c.client_id == bindparam("asked"))
)
_LOCKED: Final = select(*COLUMNS).where(client.c.client_id == bindparam("asked")).with_for_update()


def by_id(db: Connection, unverified_client_id: str) -> Registered | None:
    """Answer a client and its secrets in one read. A name that no client can have is not looked for."""
    if not _possible(unverified_client_id):
        return None
    rows = db.execute(_WITH_SECRETS, {"asked": unverified_client_id}).all()
    if not rows:
        return None
    return Registered(_client(rows[0]), tuple(secret for row in rows if (secret := _secret(row))))


def names(db: Connection, client_ids: Iterable[str]) -> dict[str, str]:
    """Answer what people read of these clients, by id; one that is gone is not among them."""
    wanted = client.c.client_id.in_(list(client_ids))
    return {
        row.client_id: row.client_name
        for row in db.execute(select(client.c.client_id, client.c.client_name).where(wanted))
    }


def locked(db: Connection, client_id: str) -> Client | None:
    """Read a client and hold it until the transaction ends, so that two changes of it take turns."""
    row = db.execute(_LOCKED, {"asked": client_id}).one_or_none() if _possible(client_id) else None
    return None if row is None else _client(row)


def page(db: Connection, *, after: str = "", limit: int = 100) -> list[Client]:
    """Answer clients in the order of their ids, those behind `after`."""
    query = select(*COLUMNS).where(client.c.client_id > after).order_by(client.c.client_id).limit(limit)
    return [_client(row) for row in db.execute(query)]


def add(db: Connection, made: Client) -> None:
    """Add a client.

    :raises ClientIdTaken: the id is in use; the transaction is lost.
    """
    try:
        db.execute(insert(client), {name: getattr(made, name) for name in NAMES})
    except IntegrityError:
        raise ClientIdTaken(made.client_id) from None


def change(db: Connection, client_id: str, **columns: Any) -> None:
    """Set columns of one client."""
    db.execute(update(client).where(client.c.client_id == client_id).values(**columns))


def delete(db: Connection, client_id: str) -> bool:
    """Forget a client, its secrets, and whatever else exists for it alone; answer whether there was one."""
    return db.execute(delete_from(client).where(client.c.client_id == client_id)).rowcount > 0


def add_secret(db: Connection, client_id: str, secret_hash: SecretHash, *, now: datetime) -> None:
    row = {"id": new_id(), "client_id": client_id, "secret_hash": secret_hash}
    db.execute(insert(client_secret), {**row, "created_at": now})


def expire_secrets(db: Connection, client_id: str, *, at: datetime) -> None:
    """Let every secret of a client end then; one that ends sooner is left to it."""
    later = or_(client_secret.c.expires_at.is_(None), client_secret.c.expires_at > at)
    db.execute(
        update(client_secret).where(client_secret.c.client_id == client_id, later).values(expires_at=at)
    )


def keep_newest_secrets(db: Connection, client_id: str, count: int) -> None:
    """Forget all but a client's newest secrets."""
    own = client_secret.c.client_id == client_id
    newest = select(client_secret.c.id).where(own).order_by(client_secret.c.created_at.desc()).limit(count)
    db.execute(delete_from(client_secret).where(own, client_secret.c.id.not_in(newest)))


def purge_secrets(db: Connection, now: datetime, batch: int = 500) -> int:
    """Delete up to `batch` secrets that have expired; answer how many."""
    gone = select(client_secret.c.id).where(client_secret.c.expires_at <= now).limit(batch)
    return db.execute(delete_from(client_secret).where(client_secret.c.id.in_(gone))).rowcount


def _possible(client_id: str) -> bool:
    """PostgreSQL takes neither NUL nor half characters, and RFC 6749 §2.2 allows neither: visible ASCII."""
    return len(client_id) <= LONGEST_ID and client_id.isascii() and client_id.isprintable()


def _client(row: Sequence[Any]) -> Client:
    values = dict(zip(NAMES, row, strict=False))  # secrets may follow
    return Client(**{**values, **{name: tuple(values[name]) for name in LISTS}})


def _secret(row: Sequence[Any]) -> StoredSecret | None:
    """Answer the secret behind a client's columns; a client without one has a row without one."""
    secret_hash, created_at, expires_at = row[len(COLUMNS) :]
    return None if secret_hash is None else StoredSecret(SecretHash(secret_hash), created_at, expires_at)
