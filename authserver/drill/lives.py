"""The life of each key as stretches of time, from the dates that its row ends up with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from authserver.keyring.states import SigningKey, State


@dataclass(frozen=True, slots=True)
class Stretch:
    """One state of one key; seconds since 1970. The last stretch of a key has no end of its own: it is `until`."""

    state: State
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Life:
    """A key, its number in the order of publication, and its stretches."""

    number: int
    kid: str
    stretches: tuple[Stretch, ...]


def lives(keys: Sequence[SigningKey], until: float) -> list[Life]:
    """Answer the lives of all keys, the oldest first, as they stand at `until`."""
    ordered = sorted(keys, key=lambda key: (key.published_at, key.activated_at is None, key.activated_at))
    return [Life(number, key.kid, tuple(_stretches(key, until))) for number, key in enumerate(ordered, 1)]


def _stretches(key: SigningKey, until: float) -> Iterator[Stretch]:
    ended_as = key.state if key.ended_at else State.REMOVED
    dated = (
        (State.NEXT, key.published_at),
        (State.ACTIVE, key.activated_at),
        (State.RETIRED, key.retired_at),
        (ended_as, key.ended_at),
    )
    turns = [(state, moment.timestamp()) for state, moment in dated if moment is not None]
    ends = [*(since for _, since in turns[1:]), max(until, turns[-1][1])]
    for (state, since), end in zip(turns, ends, strict=True):
        if end > since or state is ended_as:
            yield Stretch(state, since, end)
