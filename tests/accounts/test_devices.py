"""Known devices: a secret that says "this browser signed in to this account before", and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from authserver.accounts import devices
from authserver.accounts.models import account, known_device
from authserver.database import Database
from authserver.opaque import hash_secret

NOW = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.fixture(autouse=True)
def accounts(database: Database) -> None:
    rows: list[dict[str, object]] = [
        {"id": name, "username": name, "display_name": name, "roles": [], "created_at": NOW}
        for name in ("alice", "mallory")
    ]
    database.write(lambda db: db.execute(account.insert(), rows))


def remember(database: Database, account_id: str, lifetime: timedelta = YEAR) -> str:
    return database.write(lambda db: devices.remember(db, account_id, NOW, lifetime))


def recognise(
    database: Database, secret: str | None, account_id: str | None, now: datetime = NOW
) -> bytes | None:
    return database.read(lambda db: devices.recognise(db, secret, account_id, now))


def count(database: Database) -> int:
    return database.read(lambda db: db.scalar(select(func.count()).select_from(known_device))) or 0


def test_a_device_that_signed_in_is_recognised(database: Database) -> None:
    secret = remember(database, "alice")
    assert recognise(database, secret, "alice") == hash_secret(secret)


def test_the_secret_itself_is_not_stored(database: Database) -> None:
    secret = remember(database, "alice")
    row = database.read(lambda db: db.execute(select(known_device)).one())
    assert secret.encode() not in row.secret_hash
    assert len(row.secret_hash) == 32


def test_a_device_of_another_account_is_a_stranger(database: Database) -> None:
    secret = remember(database, "mallory")
    assert recognise(database, secret, "alice") is None


@pytest.mark.parametrize("secret", [None, "", "x", "\ud800", "\0", "A" * 43])
def test_no_secret_and_made_up_secrets_are_strangers(database: Database, secret: str | None) -> None:
    remember(database, "alice")
    assert recognise(database, secret, "alice") is None


def test_no_device_is_known_to_an_account_that_does_not_exist(database: Database) -> None:
    secret = remember(database, "alice")
    assert recognise(database, secret, None) is None


def test_a_device_is_forgotten_at_the_end_of_its_lifetime(database: Database) -> None:
    secret = remember(database, "alice", timedelta(days=1))
    assert recognise(database, secret, "alice", NOW + timedelta(days=1, microseconds=-1)) is not None
    assert recognise(database, secret, "alice", NOW + timedelta(days=1)) is None


def test_forgetting_all_devices_leaves_those_of_others(database: Database) -> None:
    lost, kept = remember(database, "alice"), remember(database, "mallory")
    database.write(lambda db: devices.forget_all(db, "alice"))
    assert recognise(database, lost, "alice") is None
    assert recognise(database, kept, "mallory") is not None


def test_purge_deletes_expired_devices_in_batches_and_no_others(database: Database) -> None:
    for _ in range(3):
        remember(database, "alice", timedelta(days=1))
    kept = remember(database, "alice")
    later = NOW + timedelta(days=2)
    removed = [database.write(lambda db: devices.purge(db, later, batch=2)) for _ in range(3)]
    assert removed == [2, 1, 0]
    assert count(database) == 1
    assert recognise(database, kept, "alice", later) is not None
