"""Registration access tokens: the key to one registration, and to no other (RFC 7592 §1.2).

A token is looked for at the client that the request names, so there is no way to come by a token of one client to the
registration of another (CVE-2026-116672 of Authlib is what happens when token and client are looked up apart).
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from authserver.clients import store as clients
from authserver.clients.invited import store
from authserver.clients.invited.store import Key
from authserver.clients.store import Client
from authserver.opaque import Secret, SecretHash, hash_secret, new_secret

_NOBODYS: Final = Key(SecretHash(bytes(32)), "")


@dataclass(frozen=True, slots=True)
class Opened:
    """A client that may change its registration now, and the scopes that it was invited with."""

    client: Client
    scope: str


def give(db: Connection, client_id: str, scope: str, now: datetime) -> Secret:
    """Give a client a registration access token; the one before is dead."""
    token = new_secret()
    store.set_key(db, client_id, Key(hash_secret(token), scope), now=now)
    return token


def opens(db: Connection, unverified_client_id: str, unverified_token: str) -> Opened | None:
    """Answer the client whose registration this token opens, held until the transaction ends; a disabled one has none."""
    client = clients.locked(db, unverified_client_id)
    key = (store.key_of(db, client.client_id) if client else None) or _NOBODYS
    fits = hmac.compare_digest(hash_secret(unverified_token), key.token_hash)
    return Opened(client, key.scope) if client and fits and client.disabled_at is None else None
