"""Secrets of clients: which are good, how long, and that nobody learns more than that."""

import hmac
from datetime import datetime, timedelta

import pytest

from authserver.clients import store
from authserver.clients.secrets import MOST, is_one_of, issue, rotate
from authserver.clients.store import Client, StoredSecret
from authserver.database import Database
from authserver.opaque import hash_secret
from tests.clocks import HandClock
from tests.registrations.conftest import Register

DAY = timedelta(days=1)


@pytest.fixture
def shop(register: Register) -> Client:
    return register("shop")


def stored(database: Database, client: Client) -> tuple[StoredSecret, ...]:
    found = database.read(lambda db: store.by_id(db, client.client_id))
    assert found is not None
    return found.secrets


def good(database: Database, client: Client, secret: str, now: datetime) -> bool:
    return is_one_of(secret, stored(database, client), now)


def test_issued_secret_is_good_and_every_other_text_is_not(
    database: Database, shop: Client, clock: HandClock
) -> None:
    secret = database.write(lambda db: issue(db, shop, clock.now()))
    assert good(database, shop, secret, clock.now())
    others = ("", secret[:-1], secret + "=", secret + "\0", secret.swapcase(), f" {secret}", "\udcff", "비밀")
    assert not any(good(database, shop, other, clock.now()) for other in others)


def test_secret_has_256_bits_and_only_its_hash_is_stored(
    database: Database, shop: Client, clock: HandClock
) -> None:
    secret = database.write(lambda db: issue(db, shop, clock.now()))
    assert len(secret) == 43
    [one] = stored(database, shop)
    assert one.hash == hash_secret(secret)


def test_secret_of_another_client_is_not_good(
    database: Database, shop: Client, register: Register, clock: HandClock
) -> None:
    other = register("other")
    secret = database.write(lambda db: issue(db, other, clock.now()))
    database.write(lambda db: issue(db, shop, clock.now()))
    assert not good(database, shop, secret, clock.now())


def test_old_secret_is_good_until_the_overlap_is_over(
    database: Database, shop: Client, clock: HandClock
) -> None:
    old = database.write(lambda db: issue(db, shop, clock.now()))
    new = database.write(lambda db: rotate(db, shop, clock.now(), DAY))
    clock.advance(DAY - timedelta(seconds=1))
    assert good(database, shop, old, clock.now())
    assert good(database, shop, new, clock.now())
    clock.advance(1)
    assert not good(database, shop, old, clock.now())
    assert good(database, shop, new, clock.now())


def test_rotation_without_overlap_ends_the_old_secret_at_once(
    database: Database, shop: Client, clock: HandClock
) -> None:
    old = database.write(lambda db: issue(db, shop, clock.now()))
    new = database.write(lambda db: rotate(db, shop, clock.now(), timedelta(0)))
    assert [good(database, shop, secret, clock.now()) for secret in (old, new)] == [False, True]


def test_second_rotation_neither_shortens_nor_lengthens_what_was_promised(
    database: Database, shop: Client, clock: HandClock
) -> None:
    """Somebody loses the new secret and rotates again: the one in use must live on, and not for ever."""
    used = database.write(lambda db: issue(db, shop, clock.now()))
    database.write(lambda db: rotate(db, shop, clock.now(), DAY))
    clock.advance(timedelta(hours=1))
    database.write(lambda db: rotate(db, shop, clock.now(), DAY))
    clock.advance(timedelta(hours=22, minutes=59))
    assert good(database, shop, used, clock.now())
    clock.advance(timedelta(minutes=1))
    assert not good(database, shop, used, clock.now())


def test_only_so_many_secrets_are_kept_and_the_newest_are_among_them(
    database: Database, shop: Client, clock: HandClock
) -> None:
    made = []
    for _ in range(MOST + 3):
        made.append(database.write(lambda db: rotate(db, shop, clock.now(), DAY)))
        clock.advance(1)
    assert [good(database, shop, secret, clock.now()) for secret in made] == [False] * 3 + [True] * MOST
    assert len(stored(database, shop)) == MOST


def test_expired_secrets_are_purged_and_the_others_stay(
    database: Database, shop: Client, clock: HandClock
) -> None:
    database.write(lambda db: issue(db, shop, clock.now()))
    new = database.write(lambda db: rotate(db, shop, clock.now(), DAY))
    assert database.write(lambda db: store.purge_secrets(db, clock.now())) == 0
    clock.advance(DAY)
    assert database.write(lambda db: store.purge_secrets(db, clock.now())) == 1
    assert [one.hash for one in stored(database, shop)] == [hash_secret(new)]


def test_no_secret_opens_a_client_that_has_none_or_does_not_exist(clock: HandClock) -> None:
    for guess in ("", "x", "\0" * 32, bytes(32).decode()):
        assert not is_one_of(guess, (), clock.now())


def test_every_check_compares_something_and_in_constant_time(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown client costs one comparison as well, and a match in front spares none behind it."""
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def watched(left: bytes, right: bytes) -> bool:
        compared.append(right)
        return compare(left, right)

    monkeypatch.setattr(hmac, "compare_digest", watched)
    first, second = (StoredSecret(hash_secret(text), clock.now(), None) for text in ("one", "two"))
    assert not is_one_of("one", (), clock.now())
    assert len(compared) == 1
    compared.clear()
    assert is_one_of("one", (first, second), clock.now())
    assert compared == [first.hash, second.hash]
