"""What a server does beside the requests: follows the database, and does its recurring jobs. Each off the event loop.

Trouble is said once when it begins, and once more when it is over; a job that fails is tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Event, Thread

from authserver.changes import Changes
from authserver.database import Database, DatabaseUnavailable
from authserver.keyring.vault import PrivateKeyMissing
from authserver.logs import get_logger

log = get_logger("authserver")


class Attempts:
    """Runs one job again and again in a thread, and keeps the log short."""

    def __init__(self, job: Callable[[], object]) -> None:
        self._job = job
        self._name = getattr(job, "__name__", "job")
        self._troubled = False

    async def run(self) -> None:
        try:
            await asyncio.to_thread(self._job)
        except (DatabaseUnavailable, PrivateKeyMissing) as error:
            if not self._troubled:
                log.warning("background job fails", job=self._name, cause=str(error))
            self._troubled = True
        except Exception:
            log.exception("background job failed", job=self._name)
        else:
            if self._troubled:
                log.info("background job works again", job=self._name)
            self._troubled = False


async def repeat(job: Callable[[], object], seconds: float) -> None:
    attempts = Attempts(job)
    while True:
        await asyncio.sleep(seconds)
        await attempts.run()


class Follower:
    """Looks at the database every so often, and at once when somebody says that it has changed; `then` goes on."""

    def __init__(
        self,
        database: Database,
        look: Callable[[], object],
        then: Callable[[], Awaitable[None]],
        *,
        every: float,
    ) -> None:
        self._look = Attempts(look)
        self._then = then
        self._every = every
        self._hurry = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changes = Changes(database, self.hurry)
        database.on_announcement(self.hurry)

    def hurry(self) -> None:
        """Look soon. May be called from any thread."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and so has the server
                self._loop.call_soon_threadsafe(self._hurry.set)

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        stop = Event()
        listener = Thread(target=self._changes.follow, args=(stop,), name="authserver-changes", daemon=True)
        listener.start()
        try:
            while True:
                await self._until_changed()
                await self._look.run()
                await self._then()
        finally:
            stop.set()
            self._loop = None
            await asyncio.to_thread(listener.join, 2.0)

    async def _until_changed(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._every):
                await self._hurry.wait()
        self._hurry.clear()
