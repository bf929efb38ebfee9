"""What instances of services say, for tests: well formed unless a test says otherwise."""

from datetime import UTC, datetime
from typing import Any

from authserver.services.said import Said
from authserver.services.store import Instance

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)


def report(**other: Any) -> dict[str, Any]:
    """The body of a report, as a guard sends it."""
    plain = {"service": "orders", "instance": "one", "sequence": 7, "mark": "m7", "kids": ["k1", "k2"]}
    return {**plain, "by": "stream", **other}


def said(**other: Any) -> Said:
    members = report(**other)
    return Said(**{**members, "kids": tuple(members["kids"])})


def instance(at: datetime = NOW, **other: Any) -> Instance:
    """An instance that was heard of for the first time at this moment."""
    moments = {"first_heard_at": at, "heard_at": at, "seen_at": at}
    members = {**report(), **moments, **other}
    return Instance(**{**members, "kids": tuple(members["kids"])})
