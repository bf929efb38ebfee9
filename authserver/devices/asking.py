"""A device asks, and gets two codes: one for itself, which is a secret, and one for people (RFC 8628 §3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from authserver.accounts.throttling import Counter, Throttle, Wait, Window, network
from authserver.devices import store
from authserver.devices.store import Asked
from authserver.devices.user_codes import UserCode, new_user_code
from authserver.opaque import Secret, hash_secret, new_secret

GOOD_FOR: Final = timedelta(
    minutes=10
)  # RFC 10027 §6.1: short, so that a code that was sent to somebody is over
INTERVAL: Final = 5  # seconds between two polls (RFC 8628 §3.5)
FROM_ONE_ADDRESS: Final = (
    Window(300, 600),
)  # a house full of televisions; each leaves a row for ten minutes
ATTEMPTS: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a device asks for, and what it looks like from here."""

    client_id: str
    scope: str
    audience: Sequence[str]
    address: str
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Codes:
    """For the device, and for its person."""

    device_code: Secret
    user_code: UserCode


def start(db: Connection, wanted: Wanted, now: datetime) -> Codes | Wait:
    """Write down what a device wants; answer its codes, or how long its address has to wait."""
    counted = Counter.of("device_start", network(wanted.address), *FROM_ONE_ADDRESS)
    if isinstance(wait := Throttle(db, now).count(counted), Wait):
        return wait
    for _ in range(ATTEMPTS):
        codes = Codes(new_secret(), new_user_code())
        if store.add(db, _asked(wanted, codes, now)):
            return codes
    raise RuntimeError("no user code is free")  # five times in a row: the source of random numbers is broken


def _asked(wanted: Wanted, codes: Codes, now: datetime) -> Asked:
    return Asked(
        device_code_hash=hash_secret(codes.device_code),
        user_code_hash=hash_secret(codes.user_code),
        client_id=wanted.client_id,
        scope=wanted.scope,
        audience=wanted.audience,
        address=wanted.address,
        user_agent=wanted.user_agent,
        created_at=now,
        expires_at=now + GOOD_FOR,
        interval=INTERVAL,
    )
