"""Commits of other processes are heard of at once: by LISTEN, or by SQLite's data_version."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from queue import Queue
from threading import Event, Thread

import pytest
from sqlalchemy import Connection

from authserver.changes import Changes
from authserver.database import Database, announce
from authserver.keyring.rotation import Rotation
from authserver.protocol.revocation import Kind
from authserver.revocations import store
from tests.attacks.cable import Cable
from tests.clocks import HandClock
from tests.conftest import MakeCapabilities
from tests.databases import PostgreSQL

PATIENCE = 10.0


@contextmanager
def following(database: Database) -> Iterator["Queue[None]"]:
    heard: Queue[None] = Queue()
    stop = Event()
    thread = Thread(target=Changes(database, lambda: heard.put(None)).follow, args=(stop,))
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def revoke(database: Database, clock: HandClock, value: str = "x") -> None:
    now = clock.now()
    database.write(lambda db: store.append(db, Kind.SID, value, now=now, expires_at=now + timedelta(hours=1)))


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """Another process, as far as the database can tell."""
    opened = Database(database_url)
    yield opened
    opened.close()


def hear(heard: "Queue[None]", database: Database, other: Database, clock: HandClock) -> None:
    """Whoever began to follow a moment ago may have missed the first: say it until it is heard."""
    if not database.embedded:
        heard.get(timeout=PATIENCE)  # "listening now"
    for number in range(100):
        revoke(other, clock, str(number))
        try:
            heard.get(timeout=0.2)
        except Exception:  # noqa: BLE001 - queue.Empty; the last one fails below
            continue
        return
    raise AssertionError


def test_a_revocation_by_another_process_is_heard_of(
    database: Database, other: Database, clock: HandClock
) -> None:
    with following(database) as heard:
        hear(heard, database, other, clock)


def test_a_rotation_by_another_process_is_heard_of(
    database: Database, make_capabilities: MakeCapabilities
) -> None:
    rotation: Rotation = make_capabilities().rotation
    with following(database) as heard:
        if not database.embedded:
            heard.get(timeout=PATIENCE)
        rotation.keep(("RS256",))
        heard.get(timeout=PATIENCE)


def test_only_what_was_announced_and_committed_is_told_in_this_process(
    database: Database, clock: HandClock
) -> None:
    told: list[str] = []
    database.on_announcement(lambda: told.append("now"))

    def announced_and_undone(db: Connection) -> None:
        announce(db)
        raise LookupError

    with pytest.raises(LookupError):
        database.write(announced_and_undone)
    database.write(lambda db: db.exec_driver_sql("SELECT 1").scalar())
    assert told == []
    revoke(database, clock)
    assert told == ["now"]


def test_a_cut_connection_is_made_again(postgresql: PostgreSQL, clock: HandClock) -> None:
    with postgresql.clone() as url, Cable(url) as cable:
        database, other = Database(cable.url), Database(url)
        try:
            with following(database) as heard:
                heard.get(timeout=PATIENCE)
                cable.cut()
                cable.mend()
                heard.get(timeout=PATIENCE)
                revoke(other, clock)
                heard.get(timeout=PATIENCE)
        finally:
            database.close()
            other.close()


def test_a_step_does_not_fail_where_the_engine_has_no_notify(
    database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authserver.database.CHANNEL", "no such; word")
    revoke(database, clock, "first")
    revoke(database, clock, "second")
    assert database.read(store.head).sequence == 2
