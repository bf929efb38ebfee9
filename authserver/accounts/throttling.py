"""How often a sign-in may be tried (NIST 800-63B-4: at most 100 failures; OWASP credential stuffing, device cookies).

The order of an attempt, and the attack each counter stops:

1. by **address**: one machine trying one password on many accounts. IPv6 counts by /64, which is what one customer
   has; IPv4 in IPv6 clothes counts as IPv4. What is no address shares one counter.
2. by **account**, from browsers it does not know: many machines trying many passwords on one account. The name is
   counted, not the row, so a name without an account answers the same.
3. by **known device**, instead of 2: whoever exhausts the account's counter must not lock its owner out.

An attempt is counted before the password is looked at, in one atomic statement: of a hundred guesses at once, ten
are let through. A refused attempt does not count any further, so hammering the short window does not use up the day.
Success clears the account and the device, and gives the address back its own hit, never more: else an account of the
attacker's own resets it.

Windows are fixed and begin with the first attempt. Their arithmetic is the library `limits`; it has no storage in
SQL, which is here (and outlives a restart, and is shared by all processes).
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Connection, bindparam, case, delete, select, update

from authserver.accounts.models import throttle
from authserver.accounts.usernames import Username
from authserver.database import upsert

LONGEST_ADDRESS: Final = 64  # characters; an IPv6 address has at most 45, and perhaps a zone


@dataclass(frozen=True, slots=True)
class Window:
    """So many attempts in so much time, counted from the first."""

    attempts: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The windows of each counter, shortest first."""

    address: tuple[Window, ...] = (Window(50, 600), Window(300, 3_600))
    account: tuple[Window, ...] = (Window(10, 600), Window(100, 86_400))
    device: tuple[Window, ...] = (Window(10, 600), Window(100, 86_400))


@dataclass(frozen=True, slots=True)
class Allowed:
    """The password may be looked at."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The password must not be looked at for so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Counter:
    """What is counted. The key is a hash: a hostile name makes no long row, and none is stored in clear."""

    kind: str
    key: str
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, kind: str, what: bytes, *windows: Window) -> "Counter":
        return cls(kind, _digest(what), windows)

    def items(self) -> list[RateLimitItem]:
        return [RateLimitItemPerSecond(each.attempts, each.seconds, self.kind) for each in self.windows]


class Throttle:
    """The counters of failed sign-ins and of other guesses, seen by one transaction at one moment."""

    def __init__(self, db: Connection, now: datetime, limits: Limits = Limits()) -> None:
        self._db = db
        self._now = now
        self._limits = limits
        self._limiter = FixedWindowRateLimiter(_Table(db, now))

    def attempt(self, username: Username, address: str, device: bytes | None) -> Allowed | Wait:
        """Count an attempt, and say whether the password may be looked at.

        :param device: what `devices.recognise` answered for this account.
        """
        who = self._account(username) if device is None else self._device(device)
        return self.count(self._address(address), who)

    def count(self, *counters: Counter) -> Allowed | Wait:
        """Count one attempt in each counter, up to the first that is full."""
        for counter in counters:
            for item in counter.items():
                if not self._limiter.hit(item, counter.key):
                    return self._wait(item, counter.key)
        return Allowed()

    def succeeded(self, username: Username, address: str, device: bytes | None) -> None:
        """Forget the failures of an account and its device, whose owner has just shown the right password.

        The address gets back the one hit that this attempt was, and no more: fifty people of one office can all sign
        in, and an account of the attacker's own gains nothing.
        """
        counters = [self._account(username)] + ([] if device is None else [self._device(device)])
        for counter in counters:
            for item in counter.items():
                self._limiter.clear(item, counter.key)
        for item in self._address(address).items():
            self._db.execute(_GIVE_BACK, {"returned": item.key_for(self._address(address).key)})

    def _wait(self, item: RateLimitItem, key: str) -> Wait:
        reset = self._limiter.get_window_stats(item, key).reset_time
        return Wait(max(1, math.ceil(reset - self._now.timestamp())))

    def _address(self, address: str) -> Counter:
        return Counter.of("address", network(address), *self._limits.address)

    def _account(self, username: Username) -> Counter:
        return Counter.of("account", username.encode(), *self._limits.account)

    def _device(self, device: bytes) -> Counter:
        return Counter.of("device", device, *self._limits.device)


def network(address: str) -> bytes:
    """Answer what is counted for an address: an IPv4 address, an IPv6 /64, or nothing for what is neither."""
    if len(address) > LONGEST_ADDRESS:
        return b""
    try:
        parsed = ip_address(address)
    except ValueError:
        return b""
    if isinstance(parsed, IPv6Address):
        return parsed.packed[:8] if parsed.ipv4_mapped is None else parsed.ipv4_mapped.packed
    return parsed.packed


def purge(db: Connection, now: datetime, batch: int) -> int:
    """Delete up to `batch` counters whose window is over and answer how many there were."""
    expired = (
        select(throttle.c.key)
        .where(throttle.c.expires_at <= now)
        .limit(batch)
        .with_for_update(skip_locked=True)  # PostgreSQL: never wait for a sign-in, nor make it wait
    )
    return db.execute(delete(throttle).where(throttle.c.key.in_(expired))).rowcount


def _digest(what: bytes) -> str:
    return hashlib.sha256(what).hexdigest()


def _count(insert: Any) -> Any:
    """One statement per hit, so that two at once cannot both read the last free place."""
    new = insert.values(key=bindparam("counted"), hits=bindparam("amount"), expires_at=bindparam("until"))
    over = throttle.c.expires_at <= bindparam("now", type_=throttle.c.expires_at.type)
    return new.on_conflict_do_update(
        index_elements=[throttle.c.key],
        set_={
            "hits": case((over, new.excluded.hits), else_=throttle.c.hits + new.excluded.hits),
            "expires_at": case((over, new.excluded.expires_at), else_=throttle.c.expires_at),
        },
    ).returning(throttle.c.hits)


_GIVE_BACK: Final = (
    update(throttle)
    .where(throttle.c.key == bindparam("returned"), throttle.c.hits > 0)
    .values(hits=throttle.c.hits - 1)
)
_CLEAR: Final = delete(throttle).where(throttle.c.key == bindparam("cleared"))


@cache
def _count_in(dialect: str) -> Any:
    return _count(upsert(dialect, throttle))


class _Table(Storage):
    """The table `throttle`, as `limits` wants a storage to be; for one connection, at one moment."""

    STORAGE_SCHEME = None  # nobody finds it by a URI

    def __init__(self, db: Connection, now: datetime) -> None:
        super().__init__()
        self._db = db
        self._now = now

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()  # the database's failures keep their names

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        row = {
            "counted": key,
            "amount": amount,
            "now": self._now,
            "until": self._now + timedelta(seconds=expiry),
        }
        hits: int = self._db.execute(_count_in(self._db.dialect.name), row).scalar_one()
        return hits

    def get(self, key: str) -> int:
        hits: int | None = self._db.scalar(
            select(throttle.c.hits).where(throttle.c.key == key, throttle.c.expires_at > self._now)
        )
        return hits or 0

    def get_expiry(self, key: str) -> float:
        expires_at: datetime | None = self._db.scalar(
            select(throttle.c.expires_at).where(throttle.c.key == key)
        )
        return (expires_at or self._now).astimezone(UTC).timestamp()

    def clear(self, key: str) -> None:
        self._db.execute(_CLEAR, {"cleared": key})

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        return self._db.execute(delete(throttle)).rowcount
