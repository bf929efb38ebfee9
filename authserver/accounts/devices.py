"""Known devices: a browser that has signed in to an account keeps a secret that says so (OWASP "device cookie").

It proves no identity and opens nothing. It is the answer to the lockout weapon: a limit on failed sign-ins per account
lets anybody lock the account's owner out. A known device has a limit of its own (`throttling.py`), so the stranger who
exhausts the account's limit stops strangers only.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from authserver.accounts.models import known_device
from authserver.opaque import Secret, hash_secret, new_secret

_REMEMBER: Final = insert(known_device)
_RECOGNISE: Final = select(known_device.c.secret_hash).where(
    known_device.c.secret_hash == bindparam("secret"),
    known_device.c.account_id == bindparam("account"),
    known_device.c.expires_at > bindparam("now"),
)


def remember(db: Connection, account_id: str, now: datetime, lifetime: timedelta) -> Secret:
    """Make this browser known to the account, and answer the secret for its cookie; only the hash is kept."""
    secret = new_secret()
    row = {"secret_hash": hash_secret(secret), "account_id": account_id, "expires_at": now + lifetime}
    db.execute(_REMEMBER, row)
    return secret


def recognise(db: Connection, secret: str | None, account_id: str | None, now: datetime) -> bytes | None:
    """Answer the device's key if the secret belongs to this very account and still holds.

    A secret of another account is worth nothing here: an attacker's own browser is a stranger to the victim.
    An unknown account (`None`) asks the same question of the database, so nothing tells it apart.
    """
    if secret is None:
        return None
    asked = {"secret": hash_secret(secret), "account": account_id or "", "now": now}
    found: bytes | None = db.scalar(_RECOGNISE, asked)
    return found


def forget_all(db: Connection, account_id: str) -> None:
    """Forget every device of an account: after a changed password none is to be trusted."""
    db.execute(delete(known_device).where(known_device.c.account_id == account_id))


def purge(db: Connection, now: datetime, batch: int) -> int:
    """Delete up to `batch` expired devices and answer how many there were."""
    expired = (
        select(known_device.c.secret_hash)
        .where(known_device.c.expires_at <= now)
        .limit(batch)
        .with_for_update(skip_locked=True)  # PostgreSQL: never wait for a sign-in, nor make it wait
    )
    return db.execute(delete(known_device).where(known_device.c.secret_hash.in_(expired))).rowcount
