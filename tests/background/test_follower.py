"""A server looks when it is told to, and looks anyway."""

import asyncio

import pytest

from authserver.background import Follower
from authserver.database import Database, DatabaseUnavailable
from tests.attacks.marks import SQLITE_ONLY

pytestmark = [SQLITE_ONLY, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Looking:
    def __init__(self, *failures: Exception) -> None:
        self.looks = 0
        self.failures = list(failures)
        self.looked = asyncio.Event()

    def look(self) -> None:
        self.looks += 1
        if self.failures:
            raise self.failures.pop(0)

    async def then(self) -> None:
        self.looked.set()


async def test_a_hint_makes_it_look_at_once(database: Database) -> None:
    looking = Looking()
    follower = Follower(database, looking.look, looking.then, every=60)
    task = asyncio.create_task(follower.run())
    await asyncio.sleep(0)
    follower.hurry()
    await asyncio.wait_for(looking.looked.wait(), 5)
    assert looking.looks == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_looks_without_a_hint_and_after_a_failure(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    looking = Looking(DatabaseUnavailable("away"), DatabaseUnavailable("away"), ValueError("a mistake"))
    task = asyncio.create_task(Follower(database, looking.look, looking.then, every=0.001).run())
    while looking.looks < 5:
        looking.looked.clear()
        await asyncio.wait_for(looking.looked.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_hint_when_nobody_follows_is_harmless(database: Database) -> None:
    Follower(database, lambda: None, Looking().then, every=1).hurry()
