"""The issuer's keys, kept for their `max-age`, refreshed before it ends, and never lost to a bad answer.

What verifiers get wrong, and what stands here against it: no refetch on an unknown `kid` (a rotation is an outage), a
refetch on each (random kids become a flood: a cool-down and a memory of misses), a failed fetch that empties the cache
(last good keys stay, up to a ceiling), keys kept for ever (a removed key stays trusted), a fetch per request, a fetch
on the event loop (blocking methods are named so; a guard runs them in a thread).
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from authserver.resource.http import NOT_MODIFIED, Fetch, Fetched
from authserver.resource.keys import InvalidKeySet, PublicKeys
from authserver.resource.since_boot import since_boot
from authserver.resource.single_flight import SingleFlight
from authserver.resource.strict_json import MalformedJSON, strict_json

_log: Final = logging.getLogger("authserver.resource")

_OK: Final = 200
_DEFAULT_MAX_AGE: Final = 300.0
_MIN_AGE: Final = 1.0
_MAX_AGE: Final = 86_400.0
_REFRESH_AHEAD: Final = 0.8  # of the lifetime
_COOLDOWN_WITHOUT_KEYS: Final = 1.0  # everybody is refused until they come
_MISSING_FOR: Final = 60.0
_MAX_MISSING: Final = 1_024


@dataclass(frozen=True, slots=True)
class _Good:
    """The last good answer. Times by the monotonic clock."""

    keys: PublicKeys
    etag: str | None
    confirmed_at: float
    refresh_at: float
    expires_at: float


class JwksSource:
    """`keys` never blocks; `refresh` and `refetch_for` do, at most one fetch at a time."""

    def __init__(
        self,
        url: str,
        fetch: Fetch,
        *,
        clock: Callable[[], float] = since_boot,
        cooldown: float = 5.0,
        max_stale: float = 86_400.0,
    ) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._cooldown = cooldown
        self._max_stale = max_stale
        self._good: _Good | None = None
        self._failed_at: float | None = None
        self._refetched_at: float | None = None
        self._missing: dict[str, float] = {}
        self._tell: Callable[[], None] | None = None
        self._flight = SingleFlight(self._refresh)

    @property
    def keys(self) -> PublicKeys | None:
        """The last good keys; None before the first answer and beyond the ceiling of staleness."""
        good = self._good
        now = self._clock()
        if good is None or self._is_beyond(good, now):
            return None
        if now >= good.refresh_at and self._may_try(now):
            self._flight.run_in_background()
        return good.keys

    def must_refresh(self) -> bool:
        """There are no keys, or their `max-age` has passed and nobody is asking; and trying again is due."""
        good = self._good
        now = self._clock()
        if good is None:
            return self._may_try(now)
        return now >= good.expires_at and self._may_try(now) and not self._flight.is_under_way

    def refresh(self) -> None:
        """Blocks for one fetch, or for the one under way; not when another thread has just made it."""
        self._flight.run(self.must_refresh)

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever other keys have come, in the thread that fetched them."""
        self._tell = tell

    def may_refetch_for(self, kid: str) -> bool:
        """Whether a fetch could make the unknown `kid` known: at most one per cool-down, none for a known miss."""
        now = self._clock()
        if now < self._missing.get(kid, 0.0):
            return False
        may_ask = _is_cool(self._refetched_at, now, self._cooldown) and self._may_try(now)
        return may_ask or self._flight.is_under_way

    def refetch_for(self, kid: str) -> None:
        """Blocks for one fetch, or for the one under way; remembers a `kid` that is still unknown afterwards."""
        self._refetched_at = self._clock()
        self._flight.run()
        good = self._good
        if good is not None and good.keys.get(kid) is None:
            if len(self._missing) >= _MAX_MISSING:
                self._missing = {}
            self._missing[kid] = self._clock() + _MISSING_FOR

    def _is_beyond(self, good: _Good, now: float) -> bool:
        return now >= good.confirmed_at + self._max_stale

    def _may_try(self, now: float) -> bool:
        has_keys = self._good is not None and not self._is_beyond(self._good, now)
        cooldown = self._cooldown if has_keys else min(self._cooldown, _COOLDOWN_WITHOUT_KEYS)
        return _is_cool(self._failed_at, now, cooldown)

    def _refresh(self) -> None:
        asked_at = self._clock()
        try:
            self._accept(self._fetch(self._url, self._good.etag if self._good else None), asked_at)
        except Exception as error:  # noqa: BLE001 - whatever an issuer answers, the last good keys stay
            level = logging.WARNING if self._failed_at is None else logging.DEBUG  # one line per outage
            self._failed_at = self._clock()
            _log.log(
                level, "keys not refreshed, the last good ones stay: %s: %s", type(error).__name__, error
            )
        else:
            self._failed_at = None

    def _accept(self, answer: Fetched, asked_at: float) -> None:
        good = self._good
        if answer.status == NOT_MODIFIED and good is not None:
            keys, etag = good.keys, good.etag
        elif answer.status == _OK:
            keys, etag = _read_keys(answer.body), answer.etag
        else:
            raise InvalidKeySet(f"status {answer.status}")
        if good is not None and keys == good.keys:
            keys = good.keys  # the same object: caches of verified tokens live on
            tell = None
        else:
            self._missing = {}
            tell = self._tell
        self._good = _good_until(keys, etag, asked_at, answer.max_age)
        if tell is not None:
            tell()


def _is_cool(last: float | None, now: float, cooldown: float) -> bool:
    return last is None or now >= last + cooldown


def _read_keys(body: bytes) -> PublicKeys:
    try:
        keys = PublicKeys.from_jwks(strict_json(body))
    except MalformedJSON as malformed:
        raise InvalidKeySet(str(malformed)) from None
    if not keys:
        raise InvalidKeySet("no usable key")
    return keys


def _good_until(keys: PublicKeys, etag: str | None, now: float, max_age: float | None) -> _Good:
    """An issuer that says no-cache is asked once a second at most, one that says a year once a day at least."""
    lifetime = min(max(_DEFAULT_MAX_AGE if max_age is None else max_age, _MIN_AGE), _MAX_AGE)
    return _Good(keys, etag, now, now + lifetime * _REFRESH_AHEAD, now + lifetime)
