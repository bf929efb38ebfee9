"""A guard's copy of the list that also tells what it was given: whether a gap was caught up, or everything asked for."""

from collections.abc import Callable

from authserver.resource.guard import Guard
from authserver.resource.revocation_copy import Heard, RevocationCopy
from authserver.resource.revocation_set import Delta, Reset, Snapshot

Tell = Callable[[str, bool, int], object]  # the form, whether it was taken, the sequence afterwards


class TellingCopy(RevocationCopy):
    """Keeps quiet about deltas that bring nothing: those come with every heartbeat."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def take(self, event: Snapshot | Delta | Reset, iat: float, heard: Heard) -> bool:
        before = self.revocations.sequence
        taken = super().take(event, iat, heard)
        after = self.revocations.sequence
        if after != before or not isinstance(event, Delta):
            self._tell(type(event).__name__.lower(), taken, after)
        return taken


def listen(guard: Guard, tell: Tell) -> Guard:
    """Have a guard tell, before it has asked for anything."""
    feed = guard._trust.feed
    assert feed is not None
    feed._copy = TellingCopy(tell)
    return guard
