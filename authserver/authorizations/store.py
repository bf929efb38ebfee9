"""Every statement of the authorization tables, and the one read that a token endpoint needs.

Nothing single-use is read first and written afterwards: it is claimed by an `UPDATE` that only one can win.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, bindparam, delete, exists, insert, or_, select, update

from authserver.accounts import store as accounts
from authserver.accounts.models import account
from authserver.accounts.store import Account
from authserver.authorizations.models import authorization, authorization_request
from authserver.opaque import SecretHash
from authserver.sessions.models import session


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an account let a client do in one sign-in. `id` is `grant_id` in access tokens."""

    id: str
    client_id: str
    account_id: str
    session_id: str
    offline: bool
    scope: str
    audience: Sequence[str]
    redirect_uri: str | None
    code_challenge: str | None
    nonce: str | None
    claims: dict[str, Any]
    acr: str
    amr: Sequence[str]
    authenticated_at: datetime
    key_thumbprint: str | None
    code_hash: bytes
    code_expires_at: datetime
    code_used_at: datetime | None
    refresh_key: bytes | None
    refresh_hash: bytes | None
    previous_hash: bytes | None
    rotated_at: datetime | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    subject: str | None = None  # pairwise; None: the account's own id


class Held(NamedTuple):
    """An authorization and its account, held until the transaction ends."""

    authorization: Authorization
    account: Account


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request that waits for its person, or that its client pushed (RFC 9126)."""

    client_id: str
    parameters: dict[str, str]
    pushed: bool
    created_at: datetime
    expires_at: datetime
    session_id: str | None = None
    allowed: bool | None = None


COLUMNS: Final = tuple(authorization.c[field.name] for field in fields(Authorization))
REQUEST_COLUMNS: Final = tuple(authorization_request.c[field.name] for field in fields(StoredRequest))

_ADD: Final = insert(authorization)
_LOOK: Final = (
    select(*accounts.COLUMNS, *COLUMNS)
    .join(account, account.c.id == authorization.c.account_id)
    .where(authorization.c.id == bindparam("grant_id"))
)
_HOLD: Final = _LOOK.with_for_update()
_USE_CODE: Final = (
    update(authorization)
    .where(
        authorization.c.id == bindparam("grant_id"),
        authorization.c.code_used_at.is_(None),
        authorization.c.ended_at.is_(None),
    )
    .values(
        code_used_at=bindparam("now"),
        expires_at=bindparam("until"),
        refresh_key=bindparam("key"),
        refresh_hash=bindparam("secret"),
    )
)
_ROTATE: Final = (
    update(authorization)
    .where(
        authorization.c.id == bindparam("grant_id"),
        authorization.c.refresh_hash == bindparam("before"),
        authorization.c.ended_at.is_(None),
    )
    .values(
        refresh_hash=bindparam("secret"),
        previous_hash=bindparam("before"),
        rotated_at=bindparam("now"),
    )
)
_END: Final = (
    update(authorization)
    .where(authorization.c.id == bindparam("grant_id"), authorization.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
_REQUEST: Final = select(*REQUEST_COLUMNS).where(
    authorization_request.c.reference_hash == bindparam("reference"),
    authorization_request.c.expires_at > bindparam("now"),
    authorization_request.c.finished_at.is_(None),
)


def add(db: Connection, made: Authorization) -> None:
    row = {column.name: getattr(made, column.name) for column in COLUMNS}
    db.execute(_ADD, {**row, "audience": list(made.audience), "amr": list(made.amr)})


def hold(db: Connection, grant_id: str) -> Held | None:
    """Read an authorization with its account; a sign-out everywhere waits for us, or we for it."""
    return _held(db, _HOLD, grant_id)


def look(db: Connection, grant_id: str) -> Held | None:
    """Read an authorization with its account, and hold nobody up."""
    return _held(db, _LOOK, grant_id)


def use_code(
    db: Connection, grant_id: str, *, now: datetime, until: datetime, refresh: tuple[bytes, SecretHash] | None
) -> bool:
    """Claim the code, and keep what its refresh tokens will be known by; answer False if it was used before."""
    key, secret = refresh or (None, None)
    values = {"grant_id": grant_id, "now": now, "until": until, "key": key, "secret": secret}
    return db.execute(_USE_CODE, values).rowcount == 1


def bind(db: Connection, grant_id: str, thumbprint: str) -> None:
    """Bind an authorization to a key, unless it is bound to one."""
    unbound = authorization.c.id == grant_id, authorization.c.key_thumbprint.is_(None)
    db.execute(update(authorization).where(*unbound).values(key_thumbprint=thumbprint))


def rotate(db: Connection, grant_id: str, before: SecretHash, secret: SecretHash, *, now: datetime) -> bool:
    """Put the next refresh token in the place of this one; answer False if another did so first."""
    values = {"grant_id": grant_id, "before": before, "secret": secret, "now": now}
    return db.execute(_ROTATE, values).rowcount == 1


def end(db: Connection, grant_id: str, *, now: datetime) -> bool:
    """End an authorization; answer False if it had ended already."""
    return db.execute(_END, {"grant_id": grant_id, "now": now}).rowcount == 1


def end_of_client(db: Connection, account_id: str, client_id: str, *, now: datetime) -> list[str]:
    """End all that an account let a client do; answer which."""
    living = (
        update(authorization)
        .where(
            authorization.c.account_id == account_id,
            authorization.c.client_id == client_id,
            authorization.c.ended_at.is_(None),
        )
        .values(ended_at=now)
        .returning(authorization.c.id)
    )
    return list(db.execute(living).scalars())


def _held(db: Connection, query: Select[Any], grant_id: str) -> Held | None:
    row = db.execute(query, {"grant_id": grant_id}).one_or_none()
    if row is None:
        return None
    return Held(Authorization(*row[len(accounts.COLUMNS) :]), accounts.from_row(row))


def of_session(db: Connection, session_id: str) -> list[Authorization]:
    """Answer what was let in a session, the unused codes included."""
    query = select(*COLUMNS).where(authorization.c.session_id == session_id)
    return [Authorization(*row) for row in db.execute(query)]


def add_request(db: Connection, reference: SecretHash, made: StoredRequest) -> None:
    row = {column.name: getattr(made, column.name) for column in REQUEST_COLUMNS}
    db.execute(insert(authorization_request), {**row, "reference_hash": reference})


def request(db: Connection, reference: SecretHash, *, now: datetime) -> StoredRequest | None:
    """Answer a request that still waits."""
    row = db.execute(_REQUEST, {"reference": reference, "now": now}).one_or_none()
    return None if row is None else StoredRequest(*row)


def decide(db: Connection, reference: SecretHash, *, session_id: str, allowed: bool) -> None:
    """Note what the person of a session said."""
    at = authorization_request.c.reference_hash == reference
    db.execute(update(authorization_request).where(at).values(session_id=session_id, allowed=allowed))


def finish_request(db: Connection, reference: SecretHash, *, now: datetime) -> bool:
    """Claim a request for its one answer; answer False if it had it already."""
    at = authorization_request.c.reference_hash == reference, authorization_request.c.finished_at.is_(None)
    return db.execute(update(authorization_request).where(*at).values(finished_at=now)).rowcount == 1


def purge(db: Connection, before: datetime, batch: int) -> int:
    """Delete up to `batch` authorizations that ended or expired before then; answer how many.

    One whose code was used stays as long as its session does: that app has to hear when the session ends (deliveries/).
    """
    over = or_(authorization.c.expires_at < before, authorization.c.ended_at < before)
    nobody_hears = authorization.c.code_used_at.is_(None) | ~exists().where(
        session.c.id == authorization.c.session_id
    )
    gone = select(authorization.c.id).where(over, nobody_hears).limit(batch)
    return db.execute(delete(authorization).where(authorization.c.id.in_(gone))).rowcount


def purge_requests(db: Connection, now: datetime, batch: int) -> int:
    over = authorization_request.c.expires_at < now
    gone = select(authorization_request.c.reference_hash).where(over).limit(batch)
    return db.execute(
        delete(authorization_request).where(authorization_request.c.reference_hash.in_(gone))
    ).rowcount
