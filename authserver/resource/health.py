"""How a guard is doing, for a health page and for metrics; and who else wants to hear of each decision."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Protocol

from authserver.resource.credentials import RequestView
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal


class Observer(Protocol):
    """Is told of every decision, in the thread (or on the event loop) that made it: count, and do not wait."""

    def decided(self, outcome: Principal | Refusal, request: RequestView) -> None: ...


@dataclass(frozen=True, slots=True)
class Health:
    """One moment of a guard. Ages in seconds; None: never yet, or not followed.

    `by` is how the revocation list is followed at the moment ("stream", "long_poll", "poll"), `kids` are the keys
    that signatures are verified with, `refusals` counts since the process began.
    """

    feed_age: float | None
    sequence: int | None
    by: str | None
    keys_age: float | None
    kids: tuple[str, ...]
    refusals: Mapping[Reason, int]


class Tally:
    """Counts refusals by reason. A forked child starts at zero: the lock may have been held when it was born."""

    def __init__(self) -> None:
        self._start()

    def count(self, reason: Reason) -> None:
        if self._pid != os.getpid():
            self._start()
        with self._lock:
            self._counts[reason] += 1

    @property
    def counts(self) -> Mapping[Reason, int]:
        """Every reason, those that never occurred too: a counter that appears late is a gap in a graph."""
        return MappingProxyType(dict(self._counts))

    def _start(self) -> None:
        self._lock, self._counts = Lock(), dict.fromkeys(Reason, 0)
        self._pid = os.getpid()  # last: another thread of the child must not find the parent's lock
