"""Where a step runs: the one place that decides between the event loop and a thread.

* Embedded SQLite: on the event loop. A statement takes under 0.1 ms there, six times that by way of a thread, and
  forty threads that fight for SQLite's write lock have a p99 of a second. When another process holds the lock, the
  step moves to one waiting thread, so the loop never waits.
* PostgreSQL: in as many threads as there are connections.
* Password hashing: in threads of its own, as many as cores, behind a bounded queue. So hashing can exhaust neither
  memory (19 MiB each) nor the threads that everything else needs.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from authserver.database import Database, DatabaseBusy, DatabaseUnavailable, Step

T = TypeVar("T")

ANSWER_SECONDS: Final = 2.0
DATABASE_QUEUE: Final = 512


class Overloaded(Exception):
    """A bounded queue is full; the caller should come back after `retry_after` seconds."""

    def __init__(self, retry_after: int = 1) -> None:
        super().__init__("a queue is full")
        self.retry_after = retry_after


class BoundedExecutor:
    """Threads behind a queue that says no when it is full, instead of growing."""

    def __init__(self, threads: int, queue: int, name: str) -> None:
        self.threads = threads
        self._room = threads + queue
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    @property
    def room(self) -> int:
        return self._room

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread and answer what it answers.

        :raises Overloaded: the queue is full; `work` was not begun.
        """
        if self._room <= 0:
            raise Overloaded
        self._room -= 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        future.add_done_callback(self._leave)
        return await asyncio.shield(future)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _future: object) -> None:
        self._room += 1


class Runner:
    """Runs the plain, synchronous steps of the capabilities for the asynchronous surfaces."""

    def __init__(self, database: Database, *, hash_threads: int, hash_queue: int) -> None:
        self._database = database
        self._hashing = BoundedExecutor(hash_threads or os.cpu_count() or 1, hash_queue, "hash")
        threads = 1 if database.embedded else database.connections
        self._waiting = BoundedExecutor(threads, DATABASE_QUEUE, "database")

    async def read(self, step: Step[T]) -> T:
        """Run a step that changes nothing.

        :raises DatabaseUnavailable: see `Database.read`.
        """
        if self._database.embedded:
            return self._database.read(step)
        return await self._in_time(lambda: self._database.read(step))

    async def write(self, step: Step[T]) -> T:
        """Run a step as one transaction, committed when this returns.

        :raises DatabaseUnavailable: see `Database.write`; after a time-out it is not known whether it was committed.
        """
        if self._database.embedded:
            try:
                return self._database.write(step, patience=0)
            except DatabaseBusy:
                return await self._in_time(lambda: self._database.write(step, patience=ANSWER_SECONDS))
        return await self._in_time(lambda: self._database.write(step))

    async def hash(self, work: Callable[[], T]) -> T:
        """Run password hashing.

        :raises Overloaded: too many wait already.
        """
        return await self._hashing.run(work)

    def close(self) -> None:
        self._hashing.close()
        self._waiting.close()

    async def _in_time(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.wait_for(self._waiting.run(work), ANSWER_SECONDS + 0.5)
        except TimeoutError:
            raise DatabaseUnavailable("the database did not answer in time") from None
