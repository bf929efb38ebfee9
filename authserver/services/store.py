"""Every statement about what named services said.

Several servers write here, each what it was told itself, and what was said first may be written last: a row only ever
takes what was said later. `heard_at` stays while the sequence does, as it is what "time to effect" is computed from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, case, delete, or_, select, tuple_

from authserver.database import upsert
from authserver.services.models import service_instance

KEPT_WHEN_SILENT: Final = timedelta(days=1)
MOST_ROWS: Final = 10_000  # names are free of charge: whoever makes them up fills this much and no more


@dataclass(frozen=True, slots=True)
class Instance:
    """One process of a service: what it said last, and when, by the clock of the server that was told."""

    service: str
    instance: str
    sequence: int
    mark: str
    kids: tuple[str, ...]
    by: str
    first_heard_at: datetime
    heard_at: datetime
    seen_at: datetime

    @property
    def stand(self) -> tuple[int, str, tuple[str, ...]]:
        """Which list and which keys it goes by."""
        return self.sequence, self.mark, self.kids


_ROW: Final = service_instance.c
FIELDS: Final = tuple(column.name for column in service_instance.columns)


def save(db: Connection, instances: Iterable[Instance]) -> None:
    """Write what instances said, over what they said before; all servers in one order, so none waits in a circle."""
    ordered = sorted(instances, key=lambda one: (one.service, one.instance))
    if not ordered:
        return
    adding = upsert(db.dialect.name, service_instance)
    said = adding.excluded
    stands = and_(_ROW.sequence == said.sequence, _ROW.mark == said.mark, _ROW.heard_at < said.heard_at)
    changed = {name: said[name] for name in ("sequence", "mark", "kids", "by", "seen_at")}
    statement = adding.on_conflict_do_update(
        index_elements=[_ROW.service, _ROW.instance],
        set_={**changed, "heard_at": case((stands, _ROW.heard_at), else_=said.heard_at)},
        where=_ROW.seen_at <= said.seen_at,
    )
    db.execute(statement, [{name: getattr(one, name) for name in FIELDS} for one in ordered])


def instances(db: Connection) -> list[Instance]:
    """Answer every instance that is remembered, alive or not, in the order of names."""
    query = select(service_instance).order_by(_ROW.service, _ROW.instance)
    return [_instance(row) for row in db.execute(query)]


def _instance(row: Row[Any]) -> Instance:
    heard = {"first_heard_at": row.first_heard_at, "heard_at": row.heard_at, "seen_at": row.seen_at}
    return Instance(row.service, row.instance, row.sequence, row.mark, tuple(row.kids), row.by, **heard)


def forget(db: Connection, service: str) -> int:
    """Delete a service's rows; answer how many there were. One that is alive is heard again soon."""
    return db.execute(delete(service_instance).where(_ROW.service == service)).rowcount


def purge(db: Connection, now: datetime, batch: int = 500) -> int:
    """Delete up to `batch` rows of those silent for a day, and of the longest silent where there are too many."""
    last_kept = select(_ROW.seen_at).order_by(_ROW.seen_at.desc()).offset(MOST_ROWS - 1).limit(1)
    gone = or_(_ROW.seen_at <= now - KEPT_WHEN_SILENT, _ROW.seen_at < last_kept.scalar_subquery())
    keys = select(_ROW.service, _ROW.instance).where(gone).order_by(_ROW.seen_at).limit(batch)
    return db.execute(delete(service_instance).where(tuple_(_ROW.service, _ROW.instance).in_(keys))).rowcount
