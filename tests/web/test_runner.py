"""Where steps run: bounded, one at a time where there is one writer, and never on the event loop when it would wait."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from authserver.database import Database, DatabaseBusy, DatabaseUnavailable
from authserver.web.runner import BoundedExecutor, GroupFlush, Overloaded, Runner
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.sabotage import another_writer


@pytest.fixture
def executor() -> Iterator[BoundedExecutor]:
    made = BoundedExecutor(threads=1, queue=2, name="test")
    yield made
    made.close()


@pytest.fixture
def runner(database: Database) -> Iterator[Runner]:
    made = Runner(database, hash_threads=1, hash_queue=1)
    yield made
    made.close()


def test_as_many_wait_as_there_is_room_and_the_next_is_refused(executor: BoundedExecutor) -> None:
    gate = threading.Event()

    async def play() -> list[bool]:
        waiting = [asyncio.ensure_future(executor.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        assert executor._room == 0
        with pytest.raises(Overloaded):
            await executor.run(gate.wait)
        gate.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(play()) == [True] * 3
    assert executor._room == 3


def test_work_that_fails_gives_its_place_back(executor: BoundedExecutor) -> None:
    async def play() -> None:
        for _ in range(10):
            with pytest.raises(ZeroDivisionError):
                await executor.run(lambda: 1 // 0)

    asyncio.run(play())
    assert executor._room == 3


def test_who_no_longer_waits_keeps_the_place_until_the_work_is_done(executor: BoundedExecutor) -> None:
    """Else a client that hangs up a thousand times has a thousand hashes computed."""
    gate = threading.Event()

    async def play() -> None:
        gone = [asyncio.ensure_future(executor.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        for each in gone:
            each.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert executor._room == 0
        gate.set()
        await asyncio.gather(*[executor.run(lambda: None)] if executor._room else [])

    asyncio.run(play())


@SQLITE_ONLY
def test_on_sqlite_a_step_runs_at_once_and_while_another_process_writes_in_a_thread(
    database: Database, runner: Runner
) -> None:
    ran_in: list[threading.Thread] = []

    async def play() -> None:
        await runner.write(lambda _db: ran_in.append(threading.current_thread()))
        hold = another_writer(database)
        hold.__enter__()
        waiting = asyncio.ensure_future(runner.write(lambda _db: ran_in.append(threading.current_thread())))
        await asyncio.sleep(0.01)
        assert len(ran_in) == 1
        hold.__exit__(None, None, None)
        await waiting

    asyncio.run(play())
    assert [thread is threading.main_thread() for thread in ran_in] == [True, False]


@SQLITE_ONLY
def test_without_patience_a_busy_database_is_said_to_be_busy(database: Database) -> None:
    with another_writer(database), pytest.raises(DatabaseBusy):
        database.write(lambda _db: None, patience=0)
    assert database.write(lambda _db: "free again", patience=0) == "free again"


def test_after_a_commit_that_failed_the_next_change_is_made(database: Database) -> None:
    """On SQLite the transaction is the server's own to end: left open, it would hold the lock for good."""
    if database.embedded:
        tables = (
            "CREATE TABLE promise (kept INTEGER REFERENCES promise (rowid) DEFERRABLE INITIALLY DEFERRED)"
        )
        broken = "INSERT INTO promise VALUES (1)"
        tables = tables.replace("(rowid)", "(id)").replace("(kept", "(id INTEGER PRIMARY KEY, kept")
        broken = "INSERT INTO promise (kept) VALUES (-1)"
    else:
        tables = "CREATE TEMPORARY TABLE promise (kept INTEGER UNIQUE DEFERRABLE INITIALLY DEFERRED)"
        broken = "INSERT INTO promise VALUES (1), (1)"

    def breaks(db: object) -> None:
        for statement in (tables, broken):
            db.exec_driver_sql(statement)  # type: ignore[attr-defined]

    with pytest.raises(Exception, match=r"(?i)foreign key|unique"):
        database.write(breaks)
    assert database.write(lambda db: db.exec_driver_sql("SELECT 1").scalar_one(), patience=0) == 1


def test_a_full_pool_of_connections_is_a_database_that_is_away(runner: Runner, database: Database) -> None:
    if database.embedded:
        pytest.skip("SQLite has no pool that could be full")
    held = [database.engine.connect() for _ in range(database.connections)]
    with pytest.raises(DatabaseUnavailable):
        asyncio.run(runner.read(lambda _db: None))
    for connection in held:
        connection.close()
    assert asyncio.run(runner.read(lambda _db: "again")) == "again"


class Disk:
    """A disk whose flushes are begun and finished by hand."""

    def __init__(self) -> None:
        self.begun = 0
        self.full = False
        self.may_finish = threading.Event()
        self.has_begun = threading.Event()

    def flush(self) -> None:
        self.begun += 1
        self.has_begun.set()
        assert self.may_finish.wait(10)
        if self.full:
            raise DatabaseUnavailable("no space")


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def group(disk: Disk) -> Iterator[GroupFlush]:
    made = GroupFlush(disk.flush)
    yield made
    disk.may_finish.set()
    made.close()


def test_a_commit_made_during_a_flush_waits_for_the_next_one_and_shares_it(
    group: GroupFlush, disk: Disk
) -> None:
    """The flush under way may have begun before the commit was in the log: it proves nothing of it."""

    async def play() -> None:
        first = asyncio.ensure_future(group.wait())
        await asyncio.to_thread(disk.has_begun.wait, 10)
        late = [asyncio.ensure_future(group.wait()) for _ in range(20)]
        await asyncio.sleep(0)
        disk.may_finish.set()
        await first
        assert not any(each.done() for each in late)
        await asyncio.gather(*late)

    asyncio.run(play())
    assert disk.begun == 2


def test_a_flush_that_fails_is_told_to_everyone_who_counted_on_it_and_the_next_is_tried(
    group: GroupFlush, disk: Disk
) -> None:
    disk.may_finish.set()

    async def play() -> None:
        disk.full = True
        outcomes = await asyncio.gather(*(group.wait() for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in outcomes] == [DatabaseUnavailable] * 3
        disk.full = False
        await group.wait()

    asyncio.run(play())
    assert disk.begun == 2


def test_one_who_hangs_up_takes_nobodys_flush_away(group: GroupFlush, disk: Disk) -> None:
    async def play() -> None:
        waiting = [asyncio.ensure_future(group.wait()) for _ in range(3)]
        await asyncio.to_thread(disk.has_begun.wait, 10)
        waiting[0].cancel()
        disk.may_finish.set()
        await asyncio.gather(*waiting[1:])

    asyncio.run(play())
    assert disk.begun == 1
