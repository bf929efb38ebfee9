"""How many readers of the feed may wait here at once: each holds a file descriptor, and so does everybody else."""

from importlib import import_module
from typing import Final

MOST: Final = 20_000
WITHOUT_LIMITS: Final = 500  # Windows


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
