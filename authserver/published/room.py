"""How many readers of the feed may wait here at once: each holds a file descriptor, and so does everybody else."""

from collections import Counter
from importlib import import_module
from typing import Final

MOST: Final = 20_000
WITHOUT_LIMITS: Final = 500  # Windows


class Room:
    """Places for readers, shared out by address.

    An address may have one more while it has fewer than are free: alone it gets half of all places, a second one half
    of what is left. So a whole cluster behind one address, or all readers behind a proxy whose word we do not take,
    still find thousands, and yet no address can take the last places from the others; it takes a dozen of them.
    """

    def __init__(self, most: int) -> None:
        self.taken = 0
        self._most = most
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Take a place, if there is one for this address. Whoever got it must `leave`."""
        if self._by_address[address] >= self._most - self.taken:
            return False
        self.taken += 1
        self._by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        self.taken -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


def room_for_readers() -> int:
    """Raise the process's soft limit of descriptors to its hard one, and answer half of it.

    A process that runs out of descriptors accepts nobody any more, whatever they want.
    """
    try:
        limits = import_module("resource")
    except ModuleNotFoundError:
        return WITHOUT_LIMITS
    soft, hard = limits.getrlimit(limits.RLIMIT_NOFILE)
    if soft != hard:
        soft = hard if hard != limits.RLIM_INFINITY else max(soft, 2 * MOST)
        limits.setrlimit(limits.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == limits.RLIM_INFINITY else min(MOST, soft // 2)
