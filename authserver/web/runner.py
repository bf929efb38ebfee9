"""Where a step runs: the one place that decides between the event loop and a thread.

* Embedded SQLite: on the event loop. A statement takes under 0.1 ms there, six times that by way of a thread, and
  forty threads that fight for SQLite's write lock have a p99 of a second. When another process holds the lock, the
  step moves to one waiting thread, so the loop never waits. Nor does it wait for the disk: a commit is answered after
  a flush that began after it, made in a thread, one for all that wait.
* PostgreSQL: in as many threads as there are connections.
* Password hashing: in threads of its own, as many as cores, behind a bounded queue. So hashing can exhaust neither
  memory (19 MiB each) nor the threads that everything else needs.
"""

import asyncio
import os
import sys
import threading
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

    def __init__(
        self, threads: int, queue: int, name: str, *, kind: Callable[[], None] | None = None
    ) -> None:
        self._room = threads + queue
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name, initializer=kind)

    def require_room(self) -> None:
        """Say no before the caller does something that only this executor can finish.

        :raises Overloaded: the queue is full.
        """
        if self._room <= 0:
            raise Overloaded

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread and answer what it answers.

        :raises Overloaded: the queue is full; `work` was not begun.
        """
        self.require_room()
        self._room -= 1
        future = asyncio.get_running_loop().run_in_executor(self._executor, work)
        future.add_done_callback(self._leave)
        return await asyncio.shield(future)

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _leave(self, _future: object) -> None:
        self._room += 1


class GroupFlush:
    """One flush of the disk for every commit that was made before it began, in a thread of its own."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._running: asyncio.Future[None] | None = None
        self._next: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flush")

    async def wait(self) -> None:
        """Wait for a flush that begins after this call."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        await asyncio.shield(self._next)

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    async def _after(self, running: asyncio.Future[None] | None) -> None:
        if running is not None and not running.done():
            await asyncio.wait((running,))
        self._running = asyncio.get_running_loop().run_in_executor(self._thread, self._flush)
        self._next = None  # whoever commits from now on waits for another
        await self._running


def give_way() -> None:
    """Let a thread run only when nobody else wants the core: a request is short, a password hash is not."""
    if sys.platform == "linux":  # where a priority belongs to a thread, not to its process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


class Runner:
    """Runs the plain, synchronous steps of the capabilities for the asynchronous surfaces."""

    def __init__(self, database: Database, *, hash_threads: int, hash_queue: int) -> None:
        self._database = database
        self._hashing = BoundedExecutor(
            hash_threads or os.cpu_count() or 1, hash_queue, "hash", kind=give_way
        )
        threads = 1 if database.embedded else database.connections
        self._waiting = BoundedExecutor(threads, DATABASE_QUEUE, "database")
        self._flush = GroupFlush(database.flush)

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
                answer = self._database.write(step, patience=0, flush=False)
            except DatabaseBusy:
                return await self._in_time(lambda: self._database.write(step, patience=ANSWER_SECONDS))
            await self._flush.wait()
            return answer
        return await self._in_time(lambda: self._database.write(step))

    async def work(self, work: Callable[[], T]) -> T:
        """Run what takes a millisecond of the processor, such as a signature, and needs no database.

        :raises Overloaded: too many wait already.
        """
        return work() if self._database.embedded else await self._waiting.run(work)

    def require_room_to_hash(self) -> None:
        """Ask before an attempt is counted that could not be looked at.

        :raises Overloaded: too many wait already.
        """
        self._hashing.require_room()

    async def hash(self, work: Callable[[], T]) -> T:
        """Run password hashing.

        :raises Overloaded: too many wait already.
        """
        return await self._hashing.run(work)

    def close(self) -> None:
        self._hashing.close()
        self._waiting.close()
        self._flush.close()

    async def _in_time(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.wait_for(self._waiting.run(work), ANSWER_SECONDS + 0.5)
        except TimeoutError:
            raise DatabaseUnavailable("the database did not answer in time") from None
