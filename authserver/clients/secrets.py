"""Client secrets: made here, shown once, stored as a hash; two are good while an app changes from one to the other.

A secret is 256 random bits that we make (`opaque`), never words of somebody's choice, so SHA-256 is enough. The check
does the same work for a client that does not exist or has no secret, so its time tells nobody which clients there are.
"""

import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from authserver.clients import store
from authserver.clients.store import Client, StoredSecret
from authserver.opaque import Secret, SecretHash, hash_secret, new_secret

MOST: Final = 5  # each is read and compared at every authentication
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOBODYS: Final = (StoredSecret(SecretHash(bytes(32)), _LONG_AGO, expires_at=_LONG_AGO),)


def issue(db: Connection, client: Client, now: datetime) -> Secret:
    """Give a client one more secret; it is in nobody's hands but the caller's."""
    secret = new_secret()
    store.add_secret(db, client.client_id, hash_secret(secret), now=now)
    return secret


def rotate(db: Connection, client: Client, now: datetime, overlap: timedelta) -> Secret:
    """Give a client a new secret and let the ones before it live on for `overlap`, and no longer than was promised."""
    store.expire_secrets(db, client.client_id, at=now + overlap)
    secret = issue(db, client, now)
    store.keep_newest_secrets(db, client.client_id, MOST)
    return secret


def is_one_of(unverified_secret: str, stored: Iterable[StoredSecret], now: datetime) -> bool:
    """Compare with every secret of a client, whichever fits; hand in `()` for a client that does not exist."""
    unverified_hash = hash_secret(unverified_secret)
    found = False
    for secret in tuple(stored) or _NOBODYS:
        found |= hmac.compare_digest(unverified_hash, secret.hash) & secret.alive(now)
    return found
