"""Requests that wait: pushed by their client (RFC 9126), or set aside while a person signs in or is asked.

Under one kind of name, `urn:ietf:params:oauth:request_uri:…`, which is a secret of 256 bits and good once: it is spent
when the request is answered, not when it is looked at, as a person may reload the page (FAPI 2.0 §5.3.2.2 note 3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from authserver.authorizations import store
from authserver.authorizations.store import StoredRequest
from authserver.opaque import hash_secret, new_secret
from authserver.protocol.oauth import OFFLINE_ACCESS, OPENID, REQUEST_URI

PUSHED_FOR: Final = timedelta(seconds=300)  # FAPI 2.0: less than 600 s
WAITS_FOR: Final = timedelta(minutes=30)  # for somebody who looks for a password


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stored request and the name that it has."""

    request_uri: str
    request: StoredRequest


def scopes(asked: str | None, registered: Sequence[str]) -> tuple[str, ...]:
    """Narrow what is asked for to what is registered (OIDC Core §3.1.2.1: unknown values are ignored).

    Who names none gets all but the two that begin something of their own. The consent page shows and keeps just this.
    """
    if asked is None:
        return tuple(name for name in registered if name not in {OFFLINE_ACCESS, OPENID})
    return tuple(dict.fromkeys(name for name in asked.split() if name in registered))


def push(db: Connection, client_id: str, parameters: Mapping[str, Any], *, now: datetime) -> str:
    """Store what a client pushed; answer its `request_uri`."""
    return _add(db, StoredRequest(client_id, dict(parameters), True, now, now + PUSHED_FOR))


def set_aside(db: Connection, client_id: str, parameters: Mapping[str, Any], *, now: datetime) -> str:
    """Store what a browser brought; answer its `request_uri`."""
    return _add(db, StoredRequest(client_id, dict(parameters), False, now, now + WAITS_FOR))


def find(db: Connection, request_uri: str, client_id: str, *, now: datetime) -> Waiting | None:
    """Answer a request that still waits, and is this client's."""
    if not request_uri.startswith(REQUEST_URI):
        return None
    found = store.request(db, _reference(request_uri), now=now)
    return Waiting(request_uri, found) if found is not None and found.client_id == client_id else None


def decide(db: Connection, waiting: Waiting, *, session_id: str, allowed: bool) -> None:
    """Note what the person said; it counts for this session and this request alone."""
    store.decide(db, _reference(waiting.request_uri), session_id=session_id, allowed=allowed)


def finish(db: Connection, waiting: Waiting, *, now: datetime) -> bool:
    """Claim the request for its one answer; False if it had it already."""
    return store.finish_request(db, _reference(waiting.request_uri), now=now)


def _add(db: Connection, made: StoredRequest) -> str:
    secret = new_secret()
    store.add_request(db, hash_secret(secret), made)
    return REQUEST_URI + secret


def _reference(request_uri: str) -> Any:
    return hash_secret(request_uri.removeprefix(REQUEST_URI))
