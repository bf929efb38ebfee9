"""Who is alive: whoever has said something within `ALIVE_FOR` (two reports and more: one may be lost)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from authserver.protocol.heard import ALIVE_FOR
from authserver.services.store import Instance

SILENT_AFTER: Final = timedelta(seconds=ALIVE_FOR)


def alive(instances: Iterable[Instance], now: datetime) -> list[Instance]:
    return [one for one in instances if is_alive(one, now)]


def is_alive(instance: Instance, now: datetime) -> bool:
    return now - instance.seen_at <= SILENT_AFTER


def by_service(instances: Iterable[Instance]) -> dict[str, list[Instance]]:
    """Put the instances of each service together, in the order of names."""
    ordered = sorted(instances, key=lambda one: (one.service, one.instance))
    return {name: list(found) for name, found in groupby(ordered, key=lambda one: one.service)}
