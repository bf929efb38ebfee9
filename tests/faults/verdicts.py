"""What guards said, and when: the record of a service under load, and what must hold over it.

A *spell* is a stretch of time in which one guard gave one verdict on one token, again and again. It ends when another
verdict was seen for the first time, which is a little later than the last one that was the same: all that is asserted
about the end of an acceptance is stricter than the truth.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

ACCEPTED: Final = "accepted"
SIGNED_OUT: Final = "signed_out"
STALE: Final = "stale"
UNAVAILABLE: Final = "unavailable"
UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict that differs from the one before. `at` is the machine's monotonic clock."""

    at: float
    guard: str
    token: str
    verdict: str
    status: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A document that changed a guard's list, or that was more than a delta."""

    at: float
    guard: str
    form: str
    taken: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Spell:
    """`until` is infinite while it lasts."""

    verdict: Verdict
    until: float


class Record:
    """Grows while the service runs; `end` closes every spell, as the service has died. `by`: how each guard follows."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self.heard: list[Heard] = []
        self.by: dict[str, str] = {}
        self.verifications = 0
        self._ended_at = inf

    def end(self, at: float) -> None:
        self._ended_at = at

    def spells(self, token: str, guard: str) -> Iterator[Spell]:
        said = [one for one in self.verdicts if (one.token, one.guard) == (token, guard)]
        ends = [*(one.at for one in said[1:]), self._ended_at]
        for verdict, end in zip(said, ends, strict=True):
            yield Spell(verdict, end)

    def now(self, token: str, guard: str) -> str | None:
        """The verdict at this moment."""
        said = [one.verdict for one in self.verdicts if (one.token, one.guard) == (token, guard)]
        return said[-1] if said else None

    def accepted_until(self, token: str, guard: str) -> float:
        """When it was accepted for the last time; infinity if it still is, minus infinity if it never was."""
        accepted = [spell.until for spell in self.spells(token, guard) if spell.verdict.verdict == ACCEPTED]
        return max(accepted, default=-inf)

    def unauthorized(self, tokens: Iterable[str]) -> list[Verdict]:
        """Every 401 to one of these tokens."""
        wanted = frozenset(tokens)
        return [one for one in self.verdicts if one.token in wanted and one.status == UNAUTHORIZED]

    def forms(self, guard: str, since: float) -> list[str]:
        """In which form a guard was given news since then: `delta`, `snapshot` or `reset`."""
        return [one.form for one in self.heard if one.guard == guard and one.at >= since]
