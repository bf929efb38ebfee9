"""Which way of hearing the news comes next, and when: stream, long poll, poll. No thread, no network, no clock.

A step that the issuer, or a proxy on the way, does not have is left out for a minute, later for ten. A step that
breaks is followed by a plain poll, which tells whose fault it was: if the poll fails too, the issuer is away, and
asking slows down; if it works, the step is tried again, and left out after the third time.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from random import random
from typing import Final

_FIRST_BACKOFF: Final = 0.25
# A sign-out made right after an outage waits for this. It can be so short because thousands of guards are no load: each
# asks with one small request for what is one answer to all of them, four times in three seconds, and not in step.
_LONGEST_BACKOFF: Final = 1.0
_RECONNECT_WITHIN: Final = 0.2  # all readers of a server that restarts are cut at once
_BETWEEN_LONG_POLLS: Final = 0.05  # a burst of news is one answer
_STEADY: Final = 60.0  # a stream that lived so long is a good one
_MOST_STRIKES: Final = 3
_LEFT_OUT: Final = 60.0
_LONGEST_LEFT_OUT: Final = 600.0


class Step(StrEnum):
    """The values are those of `protocol.heard.BY`."""

    STREAM = "stream"
    LONG_POLL = "long_poll"
    POLL = "poll"


class Ladder:
    """Each method for an outcome answers the pause, in seconds, before the next `choose`. Times are monotonic."""

    def __init__(
        self,
        better: Sequence[Step] = (Step.STREAM, Step.LONG_POLL),
        *,
        interval: float = 1.0,
        jitter: Callable[[], float] = random,
    ) -> None:
        self.failures = 0
        self._better = tuple(better)
        self._interval = interval
        self._jitter = jitter
        self._poll_first = True  # a list to start from
        self._suspect: Step | None = None
        self._strikes = 0
        self._left_out_until: dict[Step, float] = {}
        self._left_out_for: dict[Step, float] = {}

    def choose(self, now: float) -> Step:
        if self._poll_first:
            return Step.POLL
        open_steps = (step for step in self._better if now >= self._left_out_until.get(step, now))
        return next(open_steps, Step.POLL)

    def worked(self, step: Step, now: float) -> float:
        """A poll or a long poll was answered."""
        self.failures = 0
        if step is not Step.POLL:
            self._trust(step)
            return _BETWEEN_LONG_POLLS
        if self._poll_first:
            self._poll_first = False
            if self._suspect and self._strikes >= _MOST_STRIKES:
                self._leave_out(self._suspect, now)
            if self.choose(now) is not Step.POLL:
                return 0.0
        return self._interval * (0.9 + 0.2 * self._jitter())

    def heard(self, lived: float) -> None:
        """The stream brought something, `lived` seconds after it was opened."""
        self.failures = 0
        if lived >= _STEADY:
            self._trust(Step.STREAM)

    def cut(self, *, at_least: float = 0.0) -> float:
        """A stream that had brought something ended: a restart, mostly. `at_least` is what its server asked for."""
        self._strike(Step.STREAM)
        if self._strikes == 1:
            return _RECONNECT_WITHIN * self._jitter()
        self._poll_first = True
        return max(self._backoff(1), min(at_least, _LONGEST_BACKOFF))

    def lost_track(self, step: Step) -> float:
        """What it brought does not fit the list that we have: the whole list is needed, and soon."""
        self._strike(step)
        self._poll_first = True
        return 0.0

    def failed(self, step: Step) -> float:
        """No answer, or none that could be used."""
        self.failures += 1
        self._poll_first = True
        if step is Step.POLL:
            self._strikes = 0  # the issuer is away: no other step is to blame
        else:
            self._strike(step)
        return self._backoff(self.failures)

    def silent(self, step: Step) -> float:
        """Nothing came at all. If the poll that follows works, that is proof enough."""
        pause = self.failed(step)
        self._strikes = _MOST_STRIKES
        return pause

    def missing(self, step: Step, now: float) -> float:
        """There is no such step here."""
        self._leave_out(step, now)
        return 0.0

    def _strike(self, step: Step) -> None:
        self._strikes = self._strikes + 1 if step is self._suspect else 1
        self._suspect = step

    def _trust(self, step: Step) -> None:
        self._left_out_for.pop(step, None)
        self._strikes = 0

    def _leave_out(self, step: Step, now: float) -> None:
        seconds = self._left_out_for.get(step, _LEFT_OUT)
        self._left_out_for[step] = min(seconds * 2, _LONGEST_LEFT_OUT)
        self._left_out_until[step] = now + seconds * (0.9 + 0.2 * self._jitter())
        self._strikes = 0

    def _backoff(self, failures: int) -> float:
        """Half of it by chance, so that services do not ask in step."""
        longest = max(_LONGEST_BACKOFF, self._interval)
        return min(_FIRST_BACKOFF * 2.0 ** min(failures - 1, 10), longest) * (0.5 + 0.5 * self._jitter())
