"""One holder at a time."""

from datetime import UTC, datetime, timedelta

from authserver.database import Database
from authserver.leases import store

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def acquire(database: Database, holder: str, now: datetime) -> bool:
    return database.write(lambda db: store.acquire(db, "maintenance", holder, now=now, lasting=MINUTE))


def test_only_one_of_two_servers_holds_a_lease(database: Database) -> None:
    assert acquire(database, "one", NOW)
    assert not acquire(database, "two", NOW)


def test_the_holder_renews_its_lease_and_another_takes_it_when_it_has_run_out(database: Database) -> None:
    assert acquire(database, "one", NOW)
    assert acquire(database, "one", NOW + MINUTE / 2)
    assert not acquire(database, "two", NOW + MINUTE)
    assert acquire(database, "two", NOW + 2 * MINUTE)


def test_a_released_lease_is_free_at_once(database: Database) -> None:
    assert acquire(database, "one", NOW)
    database.write(lambda db: store.release(db, "maintenance", "one"))
    assert acquire(database, "two", NOW)


def test_nobody_releases_the_lease_of_another(database: Database) -> None:
    assert acquire(database, "one", NOW)
    database.write(lambda db: store.release(db, "maintenance", "two"))
    assert not acquire(database, "two", NOW)
