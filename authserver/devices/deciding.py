"""A person types the code of a device, and says yes or no (RFC 8628 §3.3, §5.1, §5.4).

Every code that is looked up counts, a right one too and the one that comes with a decision: by the account that asks,
and by its address. The counters are never cleared, for whoever guesses has devices of his own to be right about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from authserver.accounts.throttling import Counter, Throttle, Wait, Window, network
from authserver.audit.store import Entry, record
from authserver.devices import store
from authserver.devices.store import Asked, Decision
from authserver.devices.user_codes import typed
from authserver.opaque import hash_secret
from authserver.sessions.current import Current

OF_ONE_ACCOUNT: Final = (Window(20, 600), Window(100, 86_400))
FROM_ONE_ADDRESS: Final = (Window(100, 600), Window(500, 86_400))


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, and from where."""

    who: Current
    address: str


def look(db: Connection, unverified_code: str, person: Person, now: datetime) -> Asked | Wait | None:
    """Answer what the device with this code asks for; None where there is none that waits."""
    counters = (
        Counter.of("device_code_account", person.who.account.id.encode(), *OF_ONE_ACCOUNT),
        Counter.of("device_code_address", network(person.address), *FROM_ONE_ADDRESS),
    )
    if isinstance(wait := Throttle(db, now).count(*counters), Wait):
        return wait
    code = typed(unverified_code)
    return None if code is None else store.waiting(db, hash_secret(code), now=now)


def allow(db: Connection, asked: Asked, person: Person, issue: Callable[[], str], now: datetime) -> bool:
    """Claim the decision with a yes. `issue` writes the authorization, and answers its id."""
    return _decide(db, asked, person, issue(), now)


def refuse(db: Connection, asked: Asked, person: Person, now: datetime) -> bool:
    """Claim the decision with a no."""
    return _decide(db, asked, person, None, now)


def _decide(db: Connection, asked: Asked, person: Person, grant_id: str | None, now: datetime) -> bool:
    account, session = person.who.account, person.who.session
    if not store.decide(db, asked, Decision(account.id, session.id, grant_id), now=now):
        return False
    event = "device.allowed" if grant_id else "device.refused"
    detail = {"client_id": asked.client_id, "scope": asked.scope, "device_address": asked.address}
    record(db, Entry(event, now, "account", account.id, session.id, person.address, detail))
    return True
