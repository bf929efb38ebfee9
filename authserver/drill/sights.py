"""What a verifier saw in a short stretch of time, as it crosses the pipe between two processes: one JSON line each."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple


class Sight(NamedTuple):
    """Tokens of one key with one outcome: how many, and from when to when (seconds since 1970)."""

    label: str  # a kid, or FORGED
    accepted: bool
    times: int
    first: float
    last: float
    reason: str = ""  # of the last refusal, in the verifier's own words


class Window:
    """Gathers the outcomes of one stretch."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, bool], Sight] = {}

    def note(self, label: str, reason: str | None, at: float) -> None:
        """Count one verification; no reason means accepted."""
        known = self._seen.get((label, reason is None))
        count, first = (known.times + 1, known.first) if known else (1, at)
        self._seen[label, reason is None] = Sight(label, reason is None, count, first, at, reason or "")

    def taken(self) -> list[Sight]:
        """Answer what was gathered, and begin anew."""
        seen, self._seen = list(self._seen.values()), {}
        return seen


def to_line(sights: Iterable[Sight]) -> str:
    return json.dumps([list(sight) for sight in sights])


def from_line(line: str | bytes) -> list[Sight]:
    rows: list[list[Any]] = json.loads(line)
    return [Sight(*row) for row in rows]
