"""The timetable: how many promotions fit into the time there is, by the arithmetic that production uses.

The lengths of time are the shortest that `settings/rules.py` lets pass. What a promotion costs is therefore fixed:
`jwks_max_age + clock_skew` for the next key to reach every cache, and the time that a command takes to start.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from authserver.keyring.states import Timing

SECONDS: Final = 60
SHORT_SECONDS: Final = 14
VERIFICATIONS: Final = 100_000
SHORT_VERIFICATIONS: Final = 10_000

STARTING: Final = 5.0  # database, account, server, verifiers
SETTLING: Final = 0.5  # from the first verification to the first command
COMMAND: Final = 1.5  # a process starts, makes a key pair and is done
FOLLOWING: Final = 1.0  # until the server publishes what a command wrote
FETCHING: Final = 1.0  # of a fetch that was under way when a key was published, on a busy machine
LATE: Final = 5.0  # how much longer than planned it may take until the emergency
SURPLUS: Final = 1.25  # verify somewhat more than was asked for, so that nobody has to wait for the rest
REMOVED_AFTER: Final = 40.0  # from the preparation to the end of the oldest key

MAX_AGE: Final = timedelta(seconds=2)
SHORT_MAX_AGE: Final = timedelta(seconds=1)
CLOCK_SKEW: Final = timedelta(seconds=10)
TOKEN_LIFETIME: Final = timedelta(minutes=1)
ROTATION_PERIOD: Final = timedelta(days=30)  # none happens by age: each is an operator's command


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the timetable, in seconds after the load began."""

    at: float
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, and what must come out of it."""

    promotions: int
    verifications: int
    timing: Timing
    contract: float = 3.0  # seconds after which our guard must refuse a compromised key
    observation: float = 6.0  # seconds that the verifiers are watched after it

    @property
    def cycle(self) -> float:
        """From one command to the next that may promote."""
        return (self.timing.jwks_max_age + self.timing.clock_skew).total_seconds() + COMMAND

    @property
    def emergency_at(self) -> float:
        last = SETTLING + (self.promotions - 1) * self.cycle + COMMAND
        return last + FOLLOWING + self.in_every_cache_after

    @property
    def in_every_cache_after(self) -> float:
        """Seconds from the publication of a key to the last cache that has it."""
        return self.timing.jwks_max_age.total_seconds() + FETCHING

    def has_room(self, promoted: int, elapsed: float) -> bool:
        """Say whether another promotion fits: on a busy machine rather one less than no end."""
        last = elapsed + self.cycle + FOLLOWING + self.in_every_cache_after
        return promoted == 0 or last <= self.emergency_at + LATE

    @property
    def seconds(self) -> float:
        """How long the load lasts."""
        return self.emergency_at + COMMAND + self.observation

    @property
    def rate(self) -> float:
        """Verifications a second, of all verifiers together."""
        return self.verifications * SURPLUS / self.seconds

    def steps(self) -> list[Step]:
        """The timetable; commands take as long as they take, so a moment may be a second late."""
        return sorted(self._steps(), key=lambda step: step.at)

    def _steps(self) -> Iterator[Step]:
        wait = f"{_seconds(self.timing.jwks_max_age)} jwks_max_age + {_seconds(self.timing.clock_skew)} clock_skew"
        yield Step(0, "verify without pause", "each verifier has the public keys by now")
        yield Step(SETTLING, "keys rotate", "the next key is older than any cache")
        for number in range(1, self.promotions):
            yield Step(SETTLING + number * self.cycle, "keys rotate", f"published {wait} ago")
        gone = REMOVED_AFTER - STARTING
        if gone < self.seconds:
            lifetime = _seconds(self.timing.longest_token_lifetime)
            yield Step(
                gone, "the oldest key is removed", f"it signed {lifetime} + clock_skew ago for the last time"
            )
        yield Step(self.emergency_at, "keys revoke --compromised", "the active key is taken for stolen")
        yield Step(self.seconds, "count", f"{self.verifications:,} verifications at least")


def plan_for(seconds: float = SECONDS, verifications: int | None = None) -> Plan:
    """Fit as many promotions as there is time for, one at least, and the emergency."""
    wanted = verifications or (VERIFICATIONS if seconds >= SECONDS else SHORT_VERIFICATIONS)
    hurried = seconds < 2 * SHORT_SECONDS
    timing = Timing(SHORT_MAX_AGE if hurried else MAX_AGE, CLOCK_SKEW, TOKEN_LIFETIME, ROTATION_PERIOD)
    once = Plan(1, wanted, timing, observation=3.5 if hurried else 6.0)
    more = int((seconds - STARTING - once.seconds) // once.cycle)
    return replace(once, promotions=1 + max(0, more))


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"
