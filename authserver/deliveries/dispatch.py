"""Keeps a sender busy beside the requests: so many at once, and no more than a few to the same app.

So an app that is slow holds up itself. Whatever is due anywhere is looked for when somebody says that something was
written, and every second (a retry whose time has come, a row of a server that was killed).
"""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final

from authserver.database import DatabaseUnavailable
from authserver.deliveries.sender import Sender
from authserver.deliveries.store import Claimed
from authserver.logs import get_logger

AT_ONCE: Final = 8
EACH: Final = 2  # to one app
LOOK_EVERY: Final = 1.0

log = get_logger("authserver.deliveries")


class Dispatch:
    """Runs until it is cancelled; what is under way is then finished, which takes some seconds at most."""

    def __init__(self, sender: Sender, *, every: float = LOOK_EVERY) -> None:
        self._sender = sender
        self._every = every
        self._under_way: Counter[str] = Counter()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Look soon. May be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and so has the server
                self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        threads = ThreadPoolExecutor(AT_ONCE + 1, thread_name_prefix="deliveries")
        try:
            while True:
                await self._begin_what_is_due(self._loop, threads)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._every):
                        await self._woken.wait()
                self._woken.clear()
        finally:
            self._loop = None
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)

    async def _begin_what_is_due(self, loop: asyncio.AbstractEventLoop, threads: ThreadPoolExecutor) -> None:
        while (room := AT_ONCE - self._under_way.total()) > 0:
            claimed = await loop.run_in_executor(threads, self._claim, room, dict(self._under_way))
            if not claimed:
                return
            for one in claimed:
                self._under_way[one.delivery.client_id] += 1
                sent = loop.run_in_executor(threads, self._deliver, one)
                sent.add_done_callback(partial(self._done, one))

    def _claim(self, room: int, under_way: dict[str, int]) -> list[Claimed]:
        try:
            return self._sender.claim(room, under_way=under_way, each=EACH)
        except DatabaseUnavailable:
            return []  # whoever follows the database says so

    def _deliver(self, claimed: Claimed) -> None:
        try:
            self._sender.deliver(claimed)
        except DatabaseUnavailable:
            pass  # it will be due again
        except Exception:
            log.exception("a delivery failed", delivery=claimed.delivery.id)

    def _done(self, claimed: Claimed, _sent: object) -> None:
        client_id = claimed.delivery.client_id
        self._under_way[client_id] -= 1
        if not self._under_way[client_id]:
            del self._under_way[client_id]
        self._woken.set()
