"""Giving out indexes: at random, and never one that a living token carries (draft §12.5, §13.2).

In order, they would tell everybody who reads a token how many people signed in before it. A draw that is taken is
drawn again from all lists in use, and after some more from the next one: so there are about twice as many indexes as
sessions, and nobody has to keep count.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from authserver.status_lists import store
from authserver.status_lists.bits import SIZE
from authserver.status_lists.store import Given

MOST_LISTS: Final = 256  # 268 million sessions that began within one session_lifetime
DRAWS: Final = 16  # of lists that are half full, one sign-in in 65,536 goes on to the next


class NoIndexLeft(Exception):
    """Every list is full."""


@dataclass(frozen=True, slots=True)
class StatusIndexes:
    """Gives out indexes. `tokens_live` is how long a token may be alive after its session, clock skew included."""

    tokens_live: timedelta
    draw: Callable[[int], int] = secrets.randbelow

    def give(
        self, db: Connection, *, account_id: str, session_id: str, now: datetime, session_ends: datetime
    ) -> int:
        """Take a free index for a session.

        :raises NoIndexLeft: there is none.
        """
        expires_at = session_ends + self.tokens_live
        for number in self._draws(db):
            if store.add(db, Given(number, account_id, session_id, now, expires_at)):
                return number
        raise NoIndexLeft(f"no free index in {MOST_LISTS} status lists")

    def _draws(self, db: Connection) -> Iterator[int]:
        """The first costs no look at the lists, and is almost always free where there is only one."""
        yield self.draw(SIZE)
        lists = store.lists(db) or 1
        for _ in range(DRAWS):
            yield self.draw(lists * SIZE)
        following = min(lists, MOST_LISTS - 1)
        for _ in range(DRAWS):
            yield following * SIZE + self.draw(SIZE)
