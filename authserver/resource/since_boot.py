"""Seconds that pass, those among them in which the machine slept.

Linux stops `time.monotonic` while a laptop is shut or a virtual machine is frozen. By that clock a revocation list
from before would be a second old after a night, and keys would be kept for as much longer than their issuer said.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Final


def _choose() -> Callable[[], float]:
    """CLOCK_BOOTTIME where there is one; elsewhere the usual one."""
    number: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if number is None:
        return time.monotonic
    clock = partial(time.clock_gettime, number)
    try:
        clock()
    except OSError:  # a sandbox whose kernel does not know it
        return time.monotonic
    return clock


_clock: Final = _choose()


def since_boot() -> float:
    """Seconds since some moment, never fewer than before."""
    return _clock()
