"""Every statement of the keyring's tables."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from authserver.database import announce, insert_missing
from authserver.keyring.models import installation as installation_row
from authserver.keyring.models import keyring, private_key, signing_key
from authserver.keyring.states import PUBLISHED, Ring, SigningKey, State

Versions = tuple[tuple[str, int], ...]


_INSTALLATION: Final = select(installation_row.c.id)
_VERSIONS: Final = select(keyring.c.algorithm, keyring.c.version).order_by(keyring.c.algorithm)


def versions(db: Connection) -> Versions:
    """Answer each ring's version; equal answers mean equal rings."""
    return tuple((row.algorithm, row.version) for row in db.execute(_VERSIONS))


def ring(db: Connection, algorithm: str, *, ended: bool = False) -> Ring:
    """Read one ring; one that does not exist yet is empty. With `ended`, its removed and compromised keys as well."""
    row = db.execute(select(keyring).where(keyring.c.algorithm == algorithm)).one_or_none()
    return Ring(algorithm) if row is None else _ring(row, _keys(db, algorithm, ended=ended))


def rings(db: Connection, *, ended: bool = False) -> tuple[Ring, ...]:
    """Read every ring that exists."""
    rows = db.execute(select(keyring).order_by(keyring.c.algorithm)).all()
    return tuple(_ring(row, _keys(db, row.algorithm, ended=ended)) for row in rows)


def locked_ring(db: Connection, algorithm: str) -> Ring:
    """Read one ring and hold it until the transaction ends: however many rotate at once, they take turns."""
    insert_missing(db, keyring, algorithm=algorithm, version=0)
    db.execute(select(keyring.c.version).where(keyring.c.algorithm == algorithm).with_for_update())
    return ring(db, algorithm)


def save(db: Connection, before: Ring, after: Ring) -> Ring:
    """Write what changed, and give the ring its next version."""
    known = {key.kid: key for key in before.keys}
    for key in _retired_first(after.keys):
        if key.kid not in known:
            db.execute(insert(signing_key).values(**_columns(key)))
        elif key != known[key.kid]:
            db.execute(update(signing_key).where(signing_key.c.kid == key.kid).values(**_columns(key)))
    version = before.version + 1
    db.execute(
        update(keyring)
        .where(keyring.c.algorithm == after.algorithm)
        .values(version=version, promote_at=after.promote_at)
    )
    announce(db)
    return Ring(after.algorithm, after.keys, after.promote_at, version)


def installation(db: Connection) -> str:
    """Answer the name of this database, which it got with its schema."""
    return str(db.execute(_INSTALLATION).scalar_one())


def put_private(db: Connection, kid: str, sealed: str) -> None:
    delete_private(db, kid)
    db.execute(insert(private_key).values(kid=kid, sealed=sealed))


def get_private(db: Connection, kid: str) -> str | None:
    return db.execute(select(private_key.c.sealed).where(private_key.c.kid == kid)).scalar_one_or_none()


def delete_private(db: Connection, kid: str) -> None:
    db.execute(delete(private_key).where(private_key.c.kid == kid))


def private_kids(db: Connection) -> set[str]:
    return set(db.execute(select(private_key.c.kid)).scalars())


def _keys(db: Connection, algorithm: str, *, ended: bool) -> Iterable[SigningKey]:
    query = select(signing_key).where(signing_key.c.algorithm == algorithm)
    if not ended:
        query = query.where(signing_key.c.state.in_([state.value for state in PUBLISHED]))
    for row in db.execute(query.order_by(signing_key.c.published_at, signing_key.c.kid)):
        yield SigningKey(
            kid=row.kid,
            algorithm=row.algorithm,
            state=State(row.state),
            public_jwk=row.public_jwk,
            published_at=row.published_at,
            activated_at=row.activated_at,
            retired_at=row.retired_at,
            ended_at=row.ended_at,
        )


def _ring(row: Row[Any], keys: Iterable[SigningKey]) -> Ring:
    return Ring(row.algorithm, tuple(keys), row.promote_at, row.version)


def _retired_first(keys: Iterable[SigningKey]) -> list[SigningKey]:
    """At most one active and one next key at any moment, in the order that a unique index would see."""
    order = {State.ACTIVE: 1, State.NEXT: 2}
    return sorted(keys, key=lambda key: order.get(key.state, 0))


def _columns(key: SigningKey) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "state": key.state.value,
        "public_jwk": dict(key.public_jwk),
        "published_at": key.published_at,
        "activated_at": key.activated_at,
        "retired_at": key.retired_at,
        "ended_at": key.ended_at,
    }
