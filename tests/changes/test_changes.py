"""Commits of other processes are heard of at once: by LISTEN, or by SQLite's data_version."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from datetime import timedelta
from queue import Queue
from threading import Event, Thread

import pytest
from sqlalchemy import Connection

from authserver import logs
from authserver.changes import Changes
from authserver.database import Database, announce
from authserver.keyring.rotation import Rotation
from authserver.protocol.revocation import Kind
from authserver.revocations import store
from tests.attacks.cable import Cable
from tests.attacks.fast_servers import logs_of_production
from tests.clocks import HandClock
from tests.conftest import MakeCapabilities
from tests.databases import PostgreSQL

__all__ = ["logs_of_production"]

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


@pytest.fixture
def log(logs_of_production: None) -> io.StringIO:
    stream = io.StringIO()
    with redirect_stderr(stream):
        logs.configure("json", "INFO")
    return stream


def said(log: io.StringIO) -> list[tuple[str, str]]:
    lines = map(json.loads, log.getvalue().splitlines())
    ours = ("authserver", "sqlalchemy")
    return [(line["level"], line["event"]) for line in lines if line["logger"].startswith(ours)]


def test_each_outage_is_one_line_of_the_log_and_its_end_another(
    postgresql: PostgreSQL, log: io.StringIO
) -> None:
    """A traceback of the pool's, which gives back what has died, frightens whoever restarts a database."""
    with postgresql.clone() as url, Cable(url) as cable:
        database = Database(cable.url)
        try:
            with following(database) as heard:
                for _ in range(2):
                    heard.get(timeout=PATIENCE)
                    cable.cut()
                    cable.mend()
                heard.get(timeout=PATIENCE)
        finally:
            database.close()
    outage = [
        ("warning", "not told of changes, looking for them instead"),
        ("info", "told of changes again"),
    ]
    assert said(log) == outage * 2


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
