"""Moments and lengths of time in words: ISO 8601 in UTC, and how far away that is."""

from datetime import UTC, datetime, timedelta
from typing import Final

UNITS: Final = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))
WORDS: Final = {"d": "d", "h": "h", "m": "min", "s": "s"}


def iso(moment: datetime) -> str:
    """Answer `2026-11-23T09:00:00Z`; a part of a second is left out."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def when(moment: datetime | None, now: datetime) -> str:
    """Answer `2026-11-23T09:05:00Z (in 5 min)`, and nothing for None."""
    return "" if moment is None else f"{iso(moment)} ({hint(moment - now)})"


def hint(away: timedelta) -> str:
    """Answer `in 5 min`, `3 d ago` or `now`, in the largest unit that fits, rounded."""
    size, seconds = abs(away), int(abs(away).total_seconds())
    if not seconds:
        return "now"
    name, number = next(((name, round(size / unit)) for name, unit in UNITS if size >= unit), ("s", seconds))
    return f"in {number} {WORDS[name]}" if away > timedelta(0) else f"{number} {WORDS[name]} ago"


def span(length: timedelta) -> str:
    """Answer a length as a setting is written: `5m`, `1h`, `30d`, `90s`."""
    exact = ((name, length // unit) for name, unit in UNITS if length and not length % unit)
    name, number = next(exact, ("s", int(length.total_seconds())))
    return f"{number}{name}"
