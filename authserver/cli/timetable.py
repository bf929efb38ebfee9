"""What will happen to a ring and why then: each date with its arithmetic in words (`keyring/states.py` computes it)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap
from typing import Final

from authserver.cli.times import iso, span, when
from authserver.keyring.states import Ring, SigningKey, State, Timing

WIDTH: Final = 100
INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class Date:
    """One row: what happens to which key, at the earliest when, because of what."""

    at: datetime
    kid: str
    event: str
    because: str


def timetable(ring: Ring, timing: Timing) -> list[Date]:
    """Answer all dates of a ring, the earliest first."""
    return sorted(
        [*_of_next(ring, timing), *_of_active(ring, timing), *_of_retired(ring, timing)], key=lambda d: d.at
    )


def told(dates: Iterable[tuple[str, Date]], now: datetime) -> list[str]:
    """Say each date in a line with its ring's algorithm, and below it the reason, in lines that fit a terminal."""
    lines: list[str] = []
    for algorithm, date in dates:
        lines.append(f"{when(date.at, now)}  {algorithm}  {date.kid}  {date.event}")
        lines += wrap(date.because, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
    return lines


def _of_next(ring: Ring, timing: Timing) -> Iterator[Date]:
    key, due = ring.next, ring.due_at(timing)
    if key is None:
        return
    yield Date(
        key.sign_not_before(timing),
        key.kid,
        "may sign",
        f"published {iso(key.published_at)} + {span(timing.jwks_max_age)} jwks_max_age + {_skew(timing)}: "
        "before it, a verifier may hold a JWKS without this key",
    )
    if due is not None:
        yield Date(due, key.kid, "signs", _why_due(ring, key, due, timing))


def _why_due(ring: Ring, key: SigningKey, due: datetime, timing: Timing) -> str:
    if due == ring.promote_at:
        return "a rotation was asked for, and this is its first safe moment"
    if due == key.sign_not_before(timing):
        return "a rotation is due, and this is the first moment at which this key may sign"
    since = ring.active and ring.active.activated_at
    return f"active key signs since {iso(since) if since else '?'} + {span(timing.rotation_period)} rotation_period"


def _of_active(ring: Ring, timing: Timing) -> Iterator[Date]:
    due = ring.due_at(timing)
    if ring.active is not None and due is not None:
        yield _removal(ring.active, due, "will sign until", timing)


def _of_retired(ring: Ring, timing: Timing) -> Iterator[Date]:
    for key in ring.keys:
        if key.state is State.RETIRED and key.retired_at is not None:
            yield _removal(key, key.retired_at, "signed until", timing)


def _removal(key: SigningKey, last_signed_at: datetime, words: str, timing: Timing) -> Date:
    return Date(
        last_signed_at + timing.longest_token_lifetime + timing.clock_skew,
        key.kid,
        "is removed",
        f"{words} {iso(last_signed_at)} + {span(timing.longest_token_lifetime)} access_token_lifetime + "
        f"{_skew(timing)}: before it, a token of this key may be alive",
    )


def _skew(timing: Timing) -> str:
    return f"{span(timing.clock_skew)} clock_skew"
