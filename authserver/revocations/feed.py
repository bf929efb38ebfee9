"""What the signed feed says: one Security Event Token (RFC 8417) for a snapshot or a delta (protocol/revocation.py)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from authserver.clock import ceil_seconds, seconds
from authserver.opaque import new_id
from authserver.protocol.revocation import EVENT
from authserver.revocations.store import Head, Revocation


def claims(
    issuer: str, head: Head, entries: Sequence[Revocation], *, since: Head | None, confirmed_at: datetime
) -> dict[str, Any]:
    """Build the claims of a snapshot or a delta.

    :param since: None makes it a snapshot, which replaces all that the reader knows.
    :param confirmed_at: when the database last said that `head` is the newest; `iat`, by which a reader knows how
        fresh its own knowledge is.
    """
    place = {} if since is None else {"since": since.sequence, "since_mark": since.mark}
    return _token(issuer, head, {**place, "entries": [_entry(entry) for entry in entries]}, confirmed_at)


def reset(issuer: str, head: Head, lost: Head, confirmed_at: datetime) -> dict[str, Any]:
    """Build the claims for a reader whose position is not of this history."""
    return _token(issuer, head, {"reset": {"since": lost.sequence, "mark": lost.mark}}, confirmed_at)


def _token(issuer: str, head: Head, content: dict[str, Any], confirmed_at: datetime) -> dict[str, Any]:
    event = {"sequence": head.sequence, "mark": head.mark, **content}
    return {"iss": issuer, "iat": seconds(confirmed_at), "jti": new_id(), "events": {EVENT: event}}


def _entry(entry: Revocation) -> dict[str, Any]:
    told: dict[str, Any] = {"seq": entry.sequence, "kind": entry.kind.value, "value": entry.value}
    if entry.before is not None:
        told["before"] = ceil_seconds(entry.before)
    told["exp"] = ceil_seconds(entry.expires_at)
    return told
