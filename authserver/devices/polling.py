"""A device asks again and again whether its person has decided (RFC 8628 §3.4, §3.5).

Whoever asks too often is told so, and has to wait five seconds longer from then on, at whichever server. A decision is
told at once, however early it is asked for.
"""

from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from sqlalchemy import Connection

from authserver.devices import store
from authserver.devices.store import Asked
from authserver.opaque import hash_secret

SLOWER: Final = 5  # seconds
JITTER: Final = timedelta(seconds=0.5)  # of an honest device's timer and of the network


class NotYet(Enum):
    """Why there are no tokens. The values are the error codes of §3.5."""

    UNKNOWN = "invalid_grant"
    EXPIRED = "expired_token"
    DENIED = "access_denied"
    PENDING = "authorization_pending"
    TOO_FAST = "slow_down"


def poll(db: Connection, device_code: str, client_id: str, now: datetime) -> str | NotYet:
    """Answer the id of the authorization that a yes became, or why there is none."""
    asked = store.hold(db, hash_secret(device_code))
    if asked is None or asked.client_id != client_id:
        return NotYet.UNKNOWN
    if asked.expires_at <= now:
        return NotYet.EXPIRED
    if asked.allowed is None:
        return _wait(db, asked, now)
    return asked.grant_id or NotYet.DENIED


def _wait(db: Connection, asked: Asked, now: datetime) -> NotYet:
    early = _is_early(asked, now)
    store.polled(db, asked, now=now, interval=asked.interval + (SLOWER if early else 0))
    return NotYet.TOO_FAST if early else NotYet.PENDING


def _is_early(asked: Asked, now: datetime) -> bool:
    if asked.last_poll_at is None:
        return False
    return now - asked.last_poll_at < timedelta(seconds=asked.interval) - JITTER
