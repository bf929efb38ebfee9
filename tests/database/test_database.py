"""One way to read, one way to write."""

import os
import sqlite3
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from authserver.database import Database, DatabaseBusy, DatabaseUnavailable
from tests.databases import sqlite_url

COUNT = text("SELECT count(*) FROM throttle")
ADD = text("INSERT INTO throttle (key, hits, expires_at) VALUES (:key, 1, '2026-11-23')")


@pytest.fixture
def sqlite_file(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(sqlite_url(sqlite_template, tmp_path).removeprefix("sqlite:///"))


def add(db: Connection, key: str = "a") -> None:
    db.execute(ADD, {"key": key})


def pragma(db: Connection, name: str) -> object:
    return db.exec_driver_sql(f"PRAGMA {name}").scalar()


def count(database: Database) -> int:
    return int(database.read(lambda db: db.execute(COUNT).scalar_one()))


def test_a_step_that_returns_is_committed(database: Database) -> None:
    database.write(add)
    assert count(database) == 1


def test_a_step_that_raises_leaves_nothing(database: Database) -> None:
    def fail(db: Connection) -> None:
        add(db)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(fail)
    assert count(database) == 0
    database.write(add)
    assert count(database) == 1


def test_writers_at_once_all_get_their_turn(database: Database) -> None:
    def work(number: int) -> None:
        database.write(lambda db: add(db, str(number)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(database) == 12


def test_a_locked_sqlite_file_is_busy_and_the_step_was_not_begun(sqlite_file: Path) -> None:
    database = Database(f"sqlite:///{sqlite_file}")
    begun: list[bool] = []
    with sqlite3.connect(sqlite_file, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy):
            database.write(lambda db: begun.append(True), patience=0)
        other.execute("ROLLBACK")
    assert not begun
    assert database.write(lambda db: db.execute(COUNT).scalar_one(), patience=0) == 0
    database.close()


def test_a_commit_is_flushed_to_the_disk_before_it_is_acknowledged(
    sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel is asked to flush the log when the commit is in it, and again for the next commit."""
    flushed: list[int] = []
    flush = os.fsync

    def watched(descriptor: int) -> None:
        flushed.append(os.fstat(descriptor).st_size)
        flush(descriptor)

    database = Database(f"sqlite:///{sqlite_file}")
    monkeypatch.setattr(os, "fsync", watched)
    sizes = []
    for key in ("a", "b"):
        database.write(partial(add, key=key))
        sizes.append(Path(f"{sqlite_file}-wal").stat().st_size)
    assert flushed == sizes
    database.close()


def test_another_process_that_leaves_does_not_take_the_log_with_it(sqlite_file: Path) -> None:
    """SQLite's locks belong to the process: one careless close of the file, and a stranger deletes our log."""
    database = Database(f"sqlite:///{sqlite_file}")
    stranger = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"

    def seen_elsewhere() -> int:
        command = [sys.executable, "-c", stranger, str(sqlite_file), str(COUNT)]
        return int(subprocess.run(command, capture_output=True, check=True).stdout)

    for number in range(1, 4):
        with database.engine.connect(), database.engine.connect():
            database.write(partial(add, key=str(number)))
        database.engine.dispose()
        with database.engine.connect():
            database.write(partial(add, key=f"{number} again"))
            assert seen_elsewhere() == 2 * number
    database.close()


def test_sqlite_is_set_up_for_many_readers_and_one_writer(sqlite_file: Path) -> None:
    database = Database(f"sqlite:///{sqlite_file}")
    found = [
        database.read(partial(pragma, name=name)) for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert found == ["wal", 1, 1]
    database.close()


def test_a_database_that_is_away_is_said_to_be_away(tmp_path: Path) -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(DatabaseUnavailable):
        nowhere.read(lambda db: None)
    folder = Database(f"sqlite:///{tmp_path}")
    with pytest.raises(DatabaseUnavailable):
        folder.write(lambda db: None)


def test_deadlocked_steps_are_run_again_and_both_succeed(database: Database) -> None:
    """Two transactions that take two rows in opposite order: PostgreSQL kills one, and it is tried again."""
    for key in ("a", "b"):
        database.write(partial(add, key=key))
    meet = threading.Barrier(2, timeout=5)
    runs: list[str] = []

    def take(first: str, second: str) -> None:
        def step(db: Connection) -> None:
            runs.append(first)
            bump = text("UPDATE throttle SET hits = hits + 1 WHERE key = :key")
            db.execute(bump, {"key": first})
            if len(runs) <= 2 and not database.embedded:
                meet.wait()
            db.execute(bump, {"key": second})

        database.write(step)

    threads = [threading.Thread(target=take, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = database.read(lambda db: db.execute(text("SELECT sum(hits) FROM throttle")).scalar_one())
    assert total == 6
    assert len(runs) == (2 if database.embedded else 3)
