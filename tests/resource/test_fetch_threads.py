"""Waiting for the issuer, off the event loop, in threads that nobody else uses or misses."""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, current_thread

import pytest

from authserver.resource import Guard, Principal, Refusal
from authserver.resource.fetch_threads import FetchThreads
from authserver.resource.guard import PlainRequest
from authserver.resource.http import Fetched, FetchFailed
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="none")


@contextmanager
def gate() -> Iterator[Event]:
    """Whoever waits at it is let go at the end, so that no thread outlives its test."""
    made = Event()
    try:
        yield made
    finally:
        made.set()


def test_an_application_that_fills_its_own_threads_does_not_starve_a_guard(
    network: Network, issuer: LocalIssuer, clock: FakeClock
) -> None:
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=network, clock=clock)
    guard.close()
    request = PlainRequest("GET", {"authorization": f"Bearer {issuer.token()}"})

    async def busy_application(go_on: Event) -> Principal | Refusal:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        loop.run_in_executor(None, go_on.wait, 8)
        outcome = await asyncio.wait_for(guard.authenticate_async(request), 4)
        go_on.set()
        return outcome

    with gate() as go_on:
        assert isinstance(asyncio.run(busy_application(go_on)), Principal)


def test_an_issuer_that_hangs_does_not_starve_the_application() -> None:
    """Strangers need no key to make a guard that has just started ask for the issuer's."""
    asked = Event()

    async def flooded(go_on: Event) -> str:
        def hanging(url: str, etag: str | None) -> Fetched:
            asked.set()
            go_on.wait(8)
            raise FetchFailed("down")

        guard = Guard(forge.ISSUER, audience=forge.API, fetch=hanging)
        guard.close()
        garbage = PlainRequest("GET", {"authorization": "Bearer garbage"})
        flood = [asyncio.create_task(guard.authenticate_async(garbage)) for _ in range(100)]
        served = await asyncio.wait_for(asyncio.to_thread(lambda: asked.wait(4) and "served"), 4)
        go_on.set()
        await asyncio.gather(*flood)
        return str(served)

    with gate() as go_on:
        assert asyncio.run(flooded(go_on)) == "served"


def test_nobody_is_held_up_for_longer_than_is_said_and_the_step_goes_on() -> None:
    threads, done = FetchThreads(wait=0.01), Event()

    async def call(go_on: Event) -> None:
        def slow() -> None:
            assert go_on.wait(4)
            done.set()

        await threads.run(slow)
        assert not done.is_set()
        go_on.set()

    with gate() as go_on:
        asyncio.run(call(go_on))
        assert done.wait(4)


def test_there_are_few_of_them_however_many_ask() -> None:
    threads, names = FetchThreads(most=2), set()

    async def call() -> None:
        await asyncio.gather(*(threads.run(lambda: names.add(current_thread().name)) for _ in range(50)))

    asyncio.run(call())
    assert 1 <= len(names) <= 2
    assert all(name.startswith("authserver-fetch") for name in names)


def test_what_a_request_carries_along_is_there_too() -> None:
    seen = []

    async def call() -> None:
        REQUEST_ID.set("r1")
        await FetchThreads().run(lambda: seen.append(REQUEST_ID.get()))

    asyncio.run(call())
    assert seen == ["r1"]


def test_a_step_that_breaks_breaks_its_caller() -> None:
    def broken() -> None:
        raise RuntimeError("a fetch of somebody's own")

    with pytest.raises(RuntimeError):
        asyncio.run(FetchThreads().run(broken))


def test_a_forked_child_has_threads_of_its_own() -> None:
    """The pool of its parent is there, and full of threads that are not."""
    threads, ran = FetchThreads(wait=4), Event()
    parents = ThreadPoolExecutor(1)
    parents.shutdown()
    threads._pools[os.getpid() + 1] = parents
    asyncio.run(threads.run(ran.set))
    assert ran.is_set()
