"""Good once, on both databases, whoever asks."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from authserver.database import Database
from authserver.replays import store
from authserver.replays.store import Purpose

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def claim(database: Database, *identifier: str, purpose: Purpose = "dpop") -> bool:
    return database.write(lambda db: store.claim(db, purpose, *identifier, expires_at=NOW + MINUTE))


def test_second_claim_is_refused(database: Database) -> None:
    assert claim(database, "key", "jti")
    assert not claim(database, "key", "jti")


def test_purpose_and_every_part_belong_to_the_identifier(database: Database) -> None:
    assert claim(database, "key", "jti")
    assert claim(database, "key", "jti", purpose="client_assertion")
    assert claim(database, "other key", "jti")
    assert claim(database, "ke", "yjti")
    assert claim(database, 'key", "jti')


def test_any_text_can_be_claimed(database: Database) -> None:
    for text in ("", "\0", "\udcff", "열쇠", "x" * 10_000):
        assert claim(database, text)
        assert not claim(database, text)


def test_of_many_at_once_one_wins(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: claim(database, "key", "jti"), range(40)))
    assert sum(won) == 1


def test_claim_that_was_rolled_back_was_none(database: Database) -> None:
    class Broken(Exception): ...

    def break_off(db: object) -> None:
        store.claim(db, "dpop", "jti", expires_at=NOW)  # type: ignore[arg-type]
        raise Broken

    with suppress(Broken):
        database.write(break_off)
    assert claim(database, "jti")


def test_only_what_has_expired_is_purged(database: Database) -> None:
    claim(database, "jti")
    assert database.write(lambda db: store.purge(db, NOW + MINUTE, 500)) == 0
    assert not claim(database, "jti")
    assert database.write(lambda db: store.purge(db, NOW + 2 * MINUTE, 500)) == 1
    assert claim(database, "jti")
