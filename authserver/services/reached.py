"""How far a change has come: which living instances have it, and how long after it was made they said so.

A number alone proves nothing: after a restore, an instance may stand at 19 of the former history while the list
counts to 13 of the new one. So a sequence counts only with the mark that our history has there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authserver.services.alive import by_service, is_alive
from authserver.services.store import Instance

NO_TIME: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the change has come at one service; `after` is the slowest of those that have it."""

    service: str
    instances: int
    heard: int
    after: timedelta | None
    missing: tuple[Instance, ...]


class Watch:
    """Collects over several looks when each instance first said that it has the change.

    Watched are those that were alive at the first look and there before the change: one that starts later begins with
    a list that has it.
    """

    def __init__(self, sequence: int, at: datetime) -> None:
        self._sequence = sequence
        self._at = at
        self._watched: dict[tuple[str, str], Instance] | None = None
        self._heard_at: dict[tuple[str, str], datetime] = {}

    def look(self, instances: Iterable[Instance], marks: Mapping[int, str], now: datetime) -> None:
        """Take what the instances say now.

        :param marks: the mark of each sequence of our list, from the change's own on.
        """
        found = {(one.service, one.instance): one for one in instances}
        if self._watched is None:
            self._watched = {key: one for key, one in found.items() if self._concerned(one, now)}
        for key in self._watched.keys() & found.keys():
            self._watched[key] = one = found[key]
            if one.sequence >= self._sequence and marks.get(one.sequence) == one.mark:
                self._heard_at.setdefault(key, one.heard_at)

    @property
    def complete(self) -> bool:
        return self._watched is not None and self._heard_at.keys() == self._watched.keys()

    def reaches(self) -> list[Reach]:
        """Answer how far the change has come, service by service, as of the last look."""
        return [
            self._reach(name, found) for name, found in by_service((self._watched or {}).values()).items()
        ]

    def _concerned(self, one: Instance, now: datetime) -> bool:
        return one.first_heard_at <= self._at and is_alive(one, now)

    def _reach(self, service: str, found: list[Instance]) -> Reach:
        heard = [self._heard_at.get((one.service, one.instance)) for one in found]
        moments = [moment for moment in heard if moment is not None]
        after = max(max(moments) - self._at, NO_TIME) if moments else None  # two clocks may differ a little
        missing = tuple(one for one, moment in zip(found, heard, strict=True) if moment is None)
        return Reach(service, len(found), len(moments), after, missing)
