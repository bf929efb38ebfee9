"""One thread does the job, the others wait for it, and only for so long.

Without this a thousand requests that miss the keys become a thousand fetches; with waiting but without limits one
slow issuer holds every thread of a service. Knows about fork: a child inherits neither the thread nor its lock.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread


@dataclass(slots=True)
class _Flight:
    landed: Event = field(default_factory=Event)
    waiting: int = 0


class SingleFlight:
    """Runs `job` in the calling thread, or waits for the thread that already runs it."""

    def __init__(self, job: Callable[[], None], *, wait: float = 5.0, max_waiting: int = 16) -> None:
        self._job = job
        self._wait = wait
        self._max_waiting = max_waiting
        self._pid = os.getpid()
        self._lock = Lock()
        self._flight: _Flight | None = None

    def run(self, is_due: Callable[[], bool] | None = None) -> None:
        """Returns when a run has ended, when waiting took too long, or at once when too many wait already.

        `is_due` is asked when nobody runs: whoever saw the need, and came after the run that met it, starts no other.
        """
        flight, is_mine = self._join(is_due)
        if flight is None:
            return
        if is_mine:
            self._fly(flight)
        elif flight.waiting <= self._max_waiting:
            flight.landed.wait(self._wait)

    def run_in_background(self) -> None:
        """Start a run in a thread of its own, unless one is under way."""
        flight, is_mine = self._join()
        if flight is not None and is_mine:
            Thread(target=self._fly, args=(flight,), name="authserver-refresh", daemon=True).start()

    @property
    def is_under_way(self) -> bool:
        return self._pid == os.getpid() and self._flight is not None

    def _join(self, is_due: Callable[[], bool] | None = None) -> tuple[_Flight | None, bool]:
        if self._pid != os.getpid():
            self._lock, self._flight = Lock(), None
            self._pid = os.getpid()  # last: another thread of the child must not find the parent's lock
        with self._lock:
            if self._flight is not None:
                self._flight.waiting += 1
                return self._flight, False
            if is_due is not None and not is_due():
                return None, False
            self._flight = _Flight()
            return self._flight, True

    def _fly(self, flight: _Flight) -> None:
        try:
            self._job()
        finally:
            with self._lock:
                self._flight = None
            flight.landed.set()
