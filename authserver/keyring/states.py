"""The life of a signing key, as pure functions: no clock, no file, no database.

    next ──promote──▶ active ──(another is promoted)──▶ retired ──remove──▶ removed
      └──────────────────┴──────────── compromise ─────────┴──▶ compromised

Two dates carry the promise that no service notices a rotation:

* `sign_not_before = published_at + jwks_max_age + clock_skew`: before it, a verifier may still hold a JWKS without
  this key, so it must not sign.
* `remove_not_before = last_signed_at + longest_token_lifetime + clock_skew`: before it, a token that this key signed
  may still be alive, so it must stay published.

`clock_skew` covers how far clocks differ and how late a server notices a change: a server that has not confirmed
the keyring for half of it stops signing (`live.py`), so a retired key's `last_signed_at` is its `retired_at`.

A ring always holds a *next* key, published long before it is needed. So a rotation never waits when the last one was
long ago, and an emergency never waits at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final


class State(StrEnum):
    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"
    REMOVED = "removed"
    COMPROMISED = "compromised"


PUBLISHED: Final = frozenset({State.NEXT, State.ACTIVE, State.RETIRED})
SIGNABLE: Final = frozenset({State.NEXT, State.ACTIVE})


@dataclass(frozen=True, slots=True)
class Timing:
    """The four lengths of time that the arithmetic needs, all from the settings."""

    jwks_max_age: timedelta
    clock_skew: timedelta
    longest_token_lifetime: timedelta
    rotation_period: timedelta


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What is public about one key; `public_jwk` has `kid`, `alg` and `use` (RFC 7517 §4)."""

    kid: str
    algorithm: str
    state: State
    public_jwk: Mapping[str, Any]
    published_at: datetime
    activated_at: datetime | None = None
    retired_at: datetime | None = None
    ended_at: datetime | None = None  # removed or compromised

    def sign_not_before(self, timing: Timing) -> datetime:
        return self.published_at + timing.jwks_max_age + timing.clock_skew

    def remove_not_before(self, timing: Timing) -> datetime | None:
        """Answer None while the key may still sign."""
        if self.retired_at is None:
            return None
        return self.retired_at + timing.longest_token_lifetime + timing.clock_skew


@dataclass(frozen=True, slots=True)
class Ring:
    """All keys of one algorithm. Each change answers a new ring; none is made that breaks the promise."""

    algorithm: str
    keys: tuple[SigningKey, ...] = ()
    promote_at: datetime | None = None  # asked for by an operator, waiting for the first safe moment
    version: int = 0

    @property
    def active(self) -> SigningKey | None:
        return self._only(State.ACTIVE)

    @property
    def next(self) -> SigningKey | None:
        return self._only(State.NEXT)

    @property
    def published(self) -> tuple[SigningKey, ...]:
        return tuple(key for key in self.keys if key.state in PUBLISHED)

    def find(self, kid: str) -> SigningKey | None:
        return next((key for key in self.keys if key.kid == kid), None)

    def wants(self) -> int:
        """How many new keys it takes to have one active and one next."""
        return (self.active is None) + (self.next is None)

    def fill(self, spare: Iterable[SigningKey], now: datetime) -> "Ring":
        """Give the ring what it lacks: an active key, and always a next one.

        The first key of all signs at once: nobody can hold a JWKS of a server that had none.
        """
        ring = self
        for key in spare:
            if ring.next is None:
                ring = ring.with_key(replace(key, state=State.NEXT, published_at=now))
            if ring.active is None:
                ring = ring.promoted(now)
        return ring

    def due_at(self, timing: Timing) -> datetime | None:
        """When the next key becomes active by itself: when asked for, or by age; never before it is safe."""
        if self.next is None or self.active is None or self.active.activated_at is None:
            return None
        by_age = self.active.activated_at + timing.rotation_period
        wanted = min(by_age, self.promote_at) if self.promote_at else by_age
        return max(wanted, self.next.sign_not_before(timing))

    def request(self, now: datetime, timing: Timing) -> "Ring":
        """Ask for a rotation: at once where that is safe, else at the first moment that is."""
        if self.next is None or self.promote_at is not None:
            return self
        return replace(self, promote_at=max(now, self.next.sign_not_before(timing)))

    def advance(self, now: datetime, timing: Timing) -> "Ring":
        """Do what is due: promote the next key, and remove keys that no living token needs."""
        due = self.due_at(timing)
        ring = self.promoted(now) if due is not None and due <= now else self
        for key in ring.keys:
            gone = key.remove_not_before(timing)
            if key.state is State.RETIRED and gone is not None and gone <= now:
                ring = ring.with_key(replace(key, state=State.REMOVED, ended_at=now))
        return ring

    def compromise(self, kid: str, now: datetime) -> "Ring":
        """Distrust a key at once. If it was signing, the next key signs at once, safe moment or not."""
        key = self.find(kid)
        if key is None or key.state is State.COMPROMISED:
            return self
        ring = self.with_key(replace(key, state=State.COMPROMISED, ended_at=now))
        return ring.promoted(now) if key.state is State.ACTIVE and ring.next is not None else ring

    def promoted(self, now: datetime) -> "Ring":
        """Let the next key sign from now on, whatever the dates say: `advance` is the careful way."""
        ring = replace(self, promote_at=None)
        if ring.active is not None:
            ring = ring.with_key(replace(ring.active, state=State.RETIRED, retired_at=now))
        if ring.next is not None:
            ring = ring.with_key(replace(ring.next, state=State.ACTIVE, activated_at=now))
        return ring

    def _only(self, state: State) -> SigningKey | None:
        return next((key for key in self.keys if key.state is state), None)

    def with_key(self, key: SigningKey) -> "Ring":
        """Answer a ring that holds this key in the place of the one with its `kid`, if any."""
        others = tuple(other for other in self.keys if other.kid != key.kid)
        return replace(self, keys=(*others, key))
