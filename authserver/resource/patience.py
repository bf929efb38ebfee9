"""How long a stream may go on: as long as it says something new, and not as long as it says anything.

Attack: whoever stands on the way repeats one genuine heartbeat for ever. Each copy is signed and fits, so a reader who
takes any word for a sign of life stays on that stream, busy, and asks nobody else. New is what was made later, or stands
further on, than what the same stream has said before: measured by the stream itself, for the next one may lead to a
node whose clock is some seconds behind, and is no worse for that.
"""

from typing import Final, NamedTuple

from authserver.resource.line import FetchFailed, Line

_MOST_REPEATS: Final = (
    16  # in a row: each costs a signature's verification, and an honest server says one, seldom
)


class Word(NamedTuple):
    """When the issuer made a document, and where its list stood."""

    iat: float
    sequence: int


class Patience:
    """One stream's. `seconds` without anything new are accepted, and `once` more for an event that is on its way."""

    def __init__(self, line: Line, seconds: float, once: float) -> None:
        self._line, self._seconds, self._once = line, seconds, max(seconds, once)
        self._last: Word | None = None
        self._is_late = False
        self._repeats = 0

    def heard(self, word: Word) -> bool:
        """Whether that was new; then patience begins anew. :raises FetchFailed: nothing has been for too long."""
        last = self._last
        if last is not None and word.iat <= last.iat and word.sequence <= last.sequence:
            self._repeats += 1
            if self._repeats > _MOST_REPEATS:
                raise FetchFailed("it repeats itself")
            return False
        self._last, self._is_late, self._repeats = word, False, 0
        self._line.allow(self._seconds)
        return True

    def midway(self) -> None:
        """A part of an event has come: a long one takes its time, but only once."""
        if not self._is_late:
            self._is_late = True
            self._line.allow(self._once)
