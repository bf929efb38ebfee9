"""This service's copy of the list: what a document does to it, and how old it is. No thread, no network, no clock.

The age is counted from `iat`, when the issuer last confirmed the list, and not from when a document came: one that a
proxy held back, or that somebody sends once more, is as old as it is. Two clocks are involved and nobody knows their
difference; the document that was the least late shows it best, and the others are measured by that one.

Clocks leap, and are set right again. What was forgotten meanwhile would be back for good, so nothing is forgotten by
a wall clock alone: the issuer must have signed that the time has come, and as much must have passed here.
"""

from dataclasses import dataclass
from math import inf
from typing import Final

from authserver.resource.revocation_document import UnusableDocument
from authserver.resource.revocation_set import Delta, Position, Reset, RevocationSet, Snapshot

SKEW: Final = 60.0  # seconds that the issuer's clock may differ from ours
BETWEEN_NODES: Final = 10.0  # the clocks of an issuer's nodes; within it the sequence still only grows
_DRIFT: Final = (
    0.05  # how fast we forget how late the least late one was: clocks are set right, also backwards
)
_BETWEEN_SWEEPS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Heard:
    """When a document was asked for and when it came, by the monotonic clock; and what time it was, by the wall's.

    Something pushed, or held back on purpose, was asked for when it came.
    """

    asked_at: float
    came_at: float
    now: float


class RevocationCopy:
    """Takes what fits and refuses the rest. `wants_all` tells that only a snapshot helps."""

    def __init__(self) -> None:
        self.revocations = RevocationSet()
        self.wants_all = True
        self._newest_iat = 0.0
        self._list_iat = -inf
        self._ahead: float | None = (
            None  # the issuer's clock minus our monotonic one, when the least late one came
        )
        self._ahead_at = 0.0
        self._current_as_of: float | None = None
        self._surely, self._surely_at = -inf, 0.0  # how late it is at least, by the issuer's clock; and when
        self._swept_at = 0.0

    @property
    def position(self) -> Position | None:
        return self.revocations.position

    @property
    def has_list(self) -> bool:
        return self._current_as_of is not None

    def age(self, at: float) -> float | None:
        """Seconds since the issuer confirmed this list; None when there never was one. `at`: monotonic."""
        return None if self._current_as_of is None else max(0.0, at - self._current_as_of)

    def take(self, event: Snapshot | Delta | Reset, iat: float, heard: Heard) -> bool:
        """Whether it was taken. :raises UnusableDocument: made long before the last one, or in the future.

        A delta may be of any age: it says by sequence and mark that it is the next one, so an issuer whose clock was
        set back is heard at once. How young it makes the list is another matter, and told by its `iat`.
        """
        is_late = iat < self._newest_iat - BETWEEN_NODES and not isinstance(event, Delta)
        if is_late or iat > heard.now + SKEW:
            self.wants_all = self.wants_all and not isinstance(event, Snapshot)
            raise UnusableDocument("iat is older than the last document's, or in the future")
        taken = self.revocations.take(event)
        # After a refused snapshot a delta may help: it was an old one, that somebody kept.
        self.wants_all = isinstance(event, Reset) if taken else isinstance(event, Delta)
        if taken:
            self._newest_iat = max(self._newest_iat, iat)
            self._note_time(event, iat, heard.came_at)
        if taken and not isinstance(event, Reset) and iat > self._list_iat:  # what is said twice is no newer
            self._list_iat = iat
            self._note_age(iat, heard)
        return taken

    def forget(self, now: float) -> None:
        """Drop what no living token can match; `now` by the wall clock. Cheap when called often."""
        if abs(now - self._swept_at) >= _BETWEEN_SWEEPS:
            self._swept_at = now
            self.revocations.forget(min(now, self._surely) - SKEW)

    def _note_time(self, event: Snapshot | Delta | Reset, iat: float, came_at: float) -> None:
        """A snapshot says itself who is still on the list; after it, time passes as fast as it does here."""
        passed = (came_at - self._surely_at) * (1 + _DRIFT)
        is_anchor = isinstance(event, Snapshot)
        self._surely = iat if is_anchor else max(self._surely, min(iat, self._surely + passed))
        self._surely_at = came_at

    def _note_age(self, iat: float, heard: Heard) -> None:
        said_at = iat + (1.0 if float(iat).is_integer() else 0.0)  # a whole second is told at any time in it
        as_of = min(heard.asked_at, said_at - self._clocks_apart(iat, heard.came_at))
        if heard.now - iat > SKEW:
            as_of = min(as_of, heard.came_at - (heard.now - iat))
        self._current_as_of = as_of if self._current_as_of is None else max(self._current_as_of, as_of)

    def _clocks_apart(self, iat: float, came_at: float) -> float:
        ahead = iat - came_at
        if self._ahead is not None:
            ahead = max(ahead, self._ahead - _DRIFT * (came_at - self._ahead_at))
        self._ahead, self._ahead_at = ahead, came_at
        return ahead
