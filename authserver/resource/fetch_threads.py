"""The threads in which async callers wait for the issuer: few, and the guard's own.

asyncio's default executor is the application's. One that fills it, with slow files or a slow neighbour, must not keep a
guard from its keys; and an issuer that hangs, while strangers send tokens to ask about, must not take it away from the
application.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


class FetchThreads:
    """A guard's. Who finds them busy stands in line, and nobody is held up longer than `wait` seconds."""

    def __init__(self, *, most: int = 8, wait: float = 5.0) -> None:
        self._most = most
        self._wait = wait
        self._pools: dict[int, ThreadPoolExecutor] = {}

    async def run(self, step: Callable[[], None]) -> None:
        """Return when `step` has ended, or late: then the caller decides by what is there, and `step` goes on."""
        from asyncio import get_running_loop, timeout  # noqa: PLC0415 - who calls this has loaded it, others need not

        there = partial(copy_context().run, step)
        with suppress(TimeoutError):
            async with timeout(self._wait):
                await get_running_loop().run_in_executor(self._pool(), there)

    def _pool(self) -> "ThreadPoolExecutor":
        """This process's: a forked child has its parent's memory but not its threads."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - as above

        found = self._pools.get(os.getpid())
        if found is None:
            made = ThreadPoolExecutor(self._most, thread_name_prefix="authserver-fetch")
            found = self._pools.setdefault(os.getpid(), made)
        return found
