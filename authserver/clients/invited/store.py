"""Every statement of the tables of clients that register themselves."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from authserver.clients.invited.models import invitation, registration_token
from authserver.database import upsert
from authserver.opaque import SecretHash


@dataclass(frozen=True, slots=True)
class Invitation:
    """How many clients may still register themselves by one token, and until when."""

    id: str
    created_at: datetime
    expires_at: datetime
    uses_left: int
    scope: str  # what the clients that come by it may ask for


@dataclass(frozen=True, slots=True)
class Key:
    """What opens one registration, and the scopes that its client was invited with."""

    token_hash: SecretHash
    scope: str


COLUMNS: Final = tuple(invitation.c[field.name] for field in fields(Invitation))
_GOOD: Final = (invitation.c.uses_left > 0, invitation.c.expires_at > bindparam("now"))
_BY_TOKEN: Final = select(*COLUMNS).where(invitation.c.token_hash == bindparam("token"), *_GOOD)
_USE: Final = (
    update(invitation)
    .where(invitation.c.id == bindparam("invited"), *_GOOD)
    .values(uses_left=invitation.c.uses_left - 1)
)
_KEY: Final = select(registration_token.c.token_hash, registration_token.c.scope).where(
    registration_token.c.client_id == bindparam("client")
)


def add(db: Connection, made: Invitation, token_hash: SecretHash) -> None:
    row = {column.name: getattr(made, column.name) for column in COLUMNS}
    db.execute(insert(invitation), {**row, "token_hash": token_hash})


def invitation_by(db: Connection, token_hash: SecretHash, *, now: datetime) -> Invitation | None:
    """Answer the invitation of a token, while something is left of it."""
    row = db.execute(_BY_TOKEN, {"token": token_hash, "now": now}).one_or_none()
    return None if row is None else Invitation(*row)


def use(db: Connection, invitation_id: str, *, now: datetime) -> bool:
    """Claim one use of an invitation, which a hundred at once cannot all have."""
    return db.execute(_USE, {"invited": invitation_id, "now": now}).rowcount == 1


def purge(db: Connection, now: datetime, batch: int) -> int:
    """Delete up to `batch` invitations that are used up or over; answer how many."""
    over = or_(invitation.c.expires_at <= now, invitation.c.uses_left <= 0)
    gone = select(invitation.c.id).where(over).limit(batch)
    return db.execute(delete(invitation).where(invitation.c.id.in_(gone))).rowcount


def set_key(db: Connection, client_id: str, key: Key, *, now: datetime) -> None:
    """Let this be the only key to a client's registration from now on."""
    changes = {"token_hash": key.token_hash, "scope": key.scope, "created_at": now}
    statement = upsert(db.dialect.name, registration_token).values(client_id=client_id, **changes)
    db.execute(statement.on_conflict_do_update(index_elements=["client_id"], set_=changes))


def key_of(db: Connection, client_id: str) -> Key | None:
    """Answer the key to a client's registration; a client of the operator's has none."""
    row = db.execute(_KEY, {"client": client_id}).one_or_none()
    return None if row is None else Key(SecretHash(row.token_hash), row.scope)
