"""When an app that did not hear is tried again: soon at first, then patiently, and for a day."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

PAUSES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 3_600)
)  # the last one again and again
JITTER: Final = 0.2  # of a pause, either way: apps that fell together are not asked together
GIVE_UP_AFTER: Final = timedelta(days=1)


def next_attempt(
    attempts: int, *, now: datetime, gives_up_at: datetime, chance: Callable[[], float]
) -> datetime | None:
    """Answer when to try again after so many attempts; None: never.

    :param chance: answers a number from 0 to 1.
    """
    pause = PAUSES[min(attempts, len(PAUSES)) - 1]
    again = now + pause * (1 + JITTER * (2 * chance() - 1))
    return again if again < gives_up_at else None
