"""How long a session lives: an idle limit that use moves on, and an absolute one that nothing moves (ASVS 7.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WRITE_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Lifetime:
    idle: timedelta
    absolute: timedelta

    def expires_at(self, started_at: datetime) -> datetime:
        return started_at + self.absolute

    def seen_after(self, now: datetime) -> datetime:
        """A session that was last used before this has ended."""
        return now - self.idle

    def worth_noting(self, last_seen_at: datetime, now: datetime) -> bool:
        """Looking at a page need not write to the database each time."""
        return now - last_seen_at >= min(WRITE_EVERY, self.idle / 4)
