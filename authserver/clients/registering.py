"""Registering a client and changing one: for the command line and for clients that register themselves alike.

A change names what it changes. Everything else stays as it is in the row that is held, so no setting is lost because
somebody else read it earlier (CVE-2026-107623).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from authserver.clients import metadata, secrets, store
from authserver.clients.metadata import OURS, Limits, Problem
from authserver.clients.registration import Registration
from authserver.clients.store import Client
from authserver.opaque import Secret
from authserver.settings import Settings


@dataclass(frozen=True, slots=True)
class Changed:
    """The columns that are other than before, and the secret that came with them."""

    columns: Mapping[str, Any]
    secret: Secret | None


def limits(settings: Settings) -> Limits:
    return Limits(frozenset(settings.signing_algorithms), settings.access_token_lifetime)


def register(db: Connection, made: Client, now: datetime) -> Secret | None:
    """Add a client; answer its secret, if it proves itself by one.

    :raises ClientIdTaken: the id is in use; the transaction is lost.
    """
    store.add(db, made)
    return secrets.issue(db, made, now) if made.by_secret else None


def merged(client: Client, changes: Mapping[str, Any], limits: Limits) -> Registration | list[Problem]:
    """Read a client's registration anew with some fields replaced; None sets a field back to its default.

    Keys are in one place (`jwks`, `jwks_uri`), so naming one place empties the other.
    """
    for place, other in (("jwks", "jwks_uri"), ("jwks_uri", "jwks")):
        if changes.get(place) is not None:
            changes = {other: None, **changes}
    ours = {field: value for field, value in changes.items() if field in OURS}
    return metadata.read(
        {**metadata.words(client), **changes}, {**metadata.own_words(client), **ours}, limits=limits
    )


def replace(db: Connection, before: Client, after: Registration, now: datetime) -> Changed:
    """Store what is other than before. Call it with the client held (`store.locked`).

    A client that comes to prove itself by a secret gets one; one that no longer does has none left.
    """
    columns = {
        field.name: getattr(after, field.name)
        for field in fields(Registration)
        if getattr(after, field.name) != getattr(before, field.name)
    }
    if columns:
        store.change(db, before.client_id, **columns)
    if before.by_secret and not after.by_secret:
        store.expire_secrets(db, before.client_id, at=now)
    gains_secret = after.by_secret and not before.by_secret
    return Changed(columns, secrets.issue(db, before, now) if gains_secret else None)
