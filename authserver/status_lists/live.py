"""The lists as a running server holds them in memory: bits that follow the revocation list, entry by entry."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection

from authserver.clock import Clock
from authserver.database import Database
from authserver.revocations import store as revocations
from authserver.revocations.store import Head
from authserver.status_lists import store
from authserver.status_lists.bits import SIZE, Bits
from authserver.status_lists.indexes import MOST_LISTS
from authserver.status_lists.store import Invalid

FORGET_EVERY: Final = timedelta(minutes=1)
# An index whose tokens have expired is given out again only when every server has forgotten that it was invalid.
FREE_AFTER: Final = timedelta(hours=1)


class News(NamedTuple):
    """What the database says; `anew` where it is all that is to be known, and not only what came since."""

    head: Head
    anew: bool
    lists: int
    invalid: list[Invalid]


class LiveStatusLists:
    """Follows the database; reads only what is new."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.lists: list[Bits] = []
        self.confirmed_at = clock.now()
        self._database = database
        self._clock = clock
        self._head: Head | None = None
        self._until: dict[int, datetime] = {}
        self._forget_at = clock.now()

    def refresh(self) -> None:
        """Look for what has become invalid.

        :raises DatabaseUnavailable: what is known stays.
        """
        now = self._clock.now()
        news = self._database.read(lambda db: _read(db, self._head, now))
        # One more than is in use: the session that begins the next list finds it published already.
        self.lists += [Bits() for _ in range(len(self.lists), min(news.lists + 1, MOST_LISTS))]
        if news.anew:
            self._drop(set(self._until))
        elif self._forget_at <= now:
            self._drop({number for number, until in self._until.items() if until <= now})
            self._forget_at = now + FORGET_EVERY
        for number, until in news.invalid:
            self._until[number] = max(until, self._until.get(number, until))
            self._put(number, invalid=True)
        self._head, self.confirmed_at = news.head, now

    def _drop(self, numbers: set[int]) -> None:
        for number in numbers:
            del self._until[number]
            self._put(number, invalid=False)

    def _put(self, number: int, *, invalid: bool) -> None:
        self.lists[number // SIZE].put(number % SIZE, invalid=invalid)


def _read(db: Connection, seen: Head | None, now: datetime) -> News:
    """The head is read before its entries: one that comes in between is read twice, and none is missed."""
    head, anew = revocations.head(db), False
    if seen is None or not _continues(db, seen, head):
        seen, anew = Head(0, ""), True
    invalid = list(store.invalidated(db, since=seen.sequence, now=now)) if anew or head != seen else []
    return News(head, anew, store.lists(db), invalid)


def _continues(db: Connection, seen: Head, head: Head) -> bool:
    """Say whether the list went on from what was seen, and is not that of a restored database."""
    if head.sequence <= seen.sequence:
        return head == seen
    return revocations.mark_at(db, seen.sequence) in {seen.mark, None}
