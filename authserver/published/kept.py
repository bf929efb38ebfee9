"""Signed answers of the feed, kept for the other readers who stand at the same place; and how many may be made."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from authserver.published.documents import Document
from authserver.published.readers import Position
from authserver.revocations.live import Known

MOST_KEPT: Final = 64
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and where its reader stands afterwards; None: nowhere, the whole list comes next."""

    answer: Document
    position: Position | None


@dataclass(frozen=True, slots=True)
class Signed:
    """An answer, what it was made from, and by which key."""

    answer: Document
    known: Known
    kid: str

    @property
    def place(self) -> Position:
        """Where whoever takes it stands afterwards."""
        return Position(self.known.head.sequence, self.known.head.mark)

    def told(self) -> Told:
        return Told(self.answer, self.place)

    def serves(self, known: Known, kid: str, seconds: float) -> bool:
        """Say whether it was made lately enough, and by the key that signs now."""
        age = (known.confirmed_at - self.known.confirmed_at).total_seconds()
        return self.kid == kid and 0 <= age < seconds


@dataclass(slots=True)
class Shelf:
    """The last answers of one form, for the other readers who stand at the same place."""

    answers: dict[Hashable, Signed] = field(default_factory=dict)

    def put(self, place: Hashable, signed: Signed) -> Signed:
        self.answers.pop(place, None)
        while len(self.answers) >= MOST_KEPT:
            self.answers.pop(next(iter(self.answers)))
        self.answers[place] = signed
        return signed


@dataclass(slots=True)
class Budget:
    """So many in each second, by the moments at which the list was confirmed."""

    most: int
    began: datetime | None = None
    spent: int = 0

    def has_left(self, now: datetime) -> bool:
        return self.spent < self.most or not self._lasts(now)

    def spend(self, now: datetime) -> None:
        if not self._lasts(now):
            self.began, self.spent = now, 0
        self.spent += 1

    def _lasts(self, now: datetime) -> bool:
        return self.began is not None and self.began <= now < self.began + SECOND
