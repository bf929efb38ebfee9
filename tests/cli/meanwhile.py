"""A clock on which things happen while a command waits, so that no test sleeps; and services that say something."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from authserver.database import Database
from authserver.revocations import store as revocations
from authserver.services import store
from authserver.services.store import Instance
from tests.clocks import HandClock
from tests.services.saying import instance


class EventfulClock(HandClock):
    """Runs, at its moment, what a test said would happen then."""

    def __init__(self) -> None:
        super().__init__()
        self._coming: list[tuple[datetime, Callable[[], object]]] = []

    def later(self, moment: datetime, happening: Callable[[], object]) -> None:
        self._coming.append((moment, happening))

    async def reach(self, moment: datetime) -> None:
        for due, happening in [one for one in self._coming if one[0] <= moment]:
            self.advance(max(due, self.moment) - self.moment)
            happening()
            self._coming.remove((due, happening))
        await super().reach(max(moment, self.moment))


def stand(database: Database, at: datetime, **other: Any) -> Instance:
    """Let an instance say now that it stands at the end of the list; or whatever else a test has it say."""
    head = database.read(revocations.head)
    said = instance(at, **{"sequence": head.sequence, "mark": head.mark, "kids": [], **other})
    database.write(lambda db: store.save(db, [said]))
    return said
