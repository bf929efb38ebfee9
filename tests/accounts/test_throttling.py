"""L10, L12: guessing is limited per address, per account and per device, and no limit is a weapon or has a way round."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from authserver.accounts.models import throttle
from authserver.accounts.throttling import Allowed, Limits, Throttle, Wait, Window, network, purge
from authserver.accounts.usernames import Username, canonical
from authserver.database import Database

NOW = datetime(2031, 5, 6, 7, 8, 9, 500_000, tzinfo=UTC)
ALICE = Username("alice")
DEVICE = b"\1" * 32
HOME = "203.0.113.7"
FEW = Limits(
    address=(Window(6, 60), Window(8, 600)),
    account=(Window(2, 60), Window(4, 600)),
    device=(Window(3, 60),),
)


class Door:
    """A sign-in form at one moment that can be moved on."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self.database = database
        self.limits = limits
        self.now = NOW

    def knock(self, name: str = ALICE, address: str = HOME, device: bytes | None = None) -> Allowed | Wait:
        return self.database.write(
            lambda db: Throttle(db, self.now, self.limits).attempt(Username(name), address, device)
        )

    def knocks(self, times: int, name: str = ALICE, address: str = HOME, device: bytes | None = None) -> int:
        """How many of so many attempts were let through."""
        return sum(self.knock(name, address, device) == Allowed() for _ in range(times))

    def open(self, name: str = ALICE, device: bytes | None = None) -> None:
        self.database.write(
            lambda db: Throttle(db, self.now, self.limits).succeeded(Username(name), HOME, device)
        )


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database, FEW)


def elsewhere(number: int) -> str:
    return f"198.51.100.{number}"


def test_an_account_is_tried_so_often_whatever_the_addresses(door: Door) -> None:
    answers = [door.knock(address=elsewhere(n)) for n in range(4)]
    assert answers == [Allowed(), Allowed(), Wait(60), Wait(60)]


def test_waiting_is_told_in_whole_seconds_to_the_end_of_the_window(door: Door) -> None:
    door.knocks(2)
    door.now += timedelta(seconds=58, milliseconds=700)
    assert door.knock() == Wait(2)
    door.now = NOW + timedelta(seconds=60, microseconds=-1)
    assert door.knock() == Wait(1)


def test_a_window_that_is_over_begins_anew(door: Door) -> None:
    assert door.knocks(3) == 2
    door.now += timedelta(seconds=60)
    assert door.knocks(3) == 2


def test_the_long_window_holds_when_the_short_one_is_over(door: Door) -> None:
    for _ in range(2):
        assert door.knocks(2) == 2
        door.now += timedelta(seconds=60)
    assert door.knock() == Wait(600 - 120)


def test_refused_attempts_do_not_use_up_the_long_window(door: Door) -> None:
    """Else a hundred requests of anybody lock an account's strangers out for the day."""
    assert door.knocks(5, address=elsewhere(1)) == 2
    door.now += timedelta(seconds=60)
    assert door.knocks(5, address=elsewhere(2)) == 2


def test_a_refused_attempt_does_not_lengthen_the_wait(door: Door) -> None:
    door.knocks(2)
    door.now += timedelta(seconds=30)
    assert [door.knock(), door.knock()] == [Wait(30), Wait(30)]


def test_one_address_is_let_through_so_often_whatever_the_names(door: Door) -> None:
    answers = [door.knock(name=f"user{n}") for n in range(8)]
    assert answers == [Allowed()] * 6 + [Wait(60)] * 2


def test_an_address_that_is_refused_does_not_count_against_the_account(door: Door) -> None:
    for n in range(6):
        door.knock(name=f"user{n}")
    assert door.knocks(5) == 0
    assert door.knocks(2, address=elsewhere(1)) == 2


def test_a_hundred_guesses_at_once_are_let_through_as_often_as_one_by_one(database: Database) -> None:
    door = Door(database, Limits())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: door.knock(address=elsewhere(n)), range(100)))
    assert answers.count(Allowed()) == 10


def test_no_more_than_a_hundred_failures_a_day_for_one_account(database: Database) -> None:
    door = Door(database, Limits())
    allowed = 0
    for n in range(12):
        allowed += door.knocks(11, address=elsewhere(n))
        door.now += timedelta(seconds=600)
    assert allowed == 100
    door.now = NOW + timedelta(days=1)
    assert door.knocks(1) == 1


def test_a_stranger_cannot_lock_out_a_known_device(door: Door) -> None:
    assert door.knocks(5, address=elsewhere(1)) == 2
    assert door.knock(device=DEVICE) == Allowed()


def test_a_known_device_is_limited_too(door: Door) -> None:
    assert door.knocks(5, device=DEVICE) == 3


def test_a_known_device_does_not_count_against_the_account(door: Door) -> None:
    door.knocks(3, device=DEVICE)
    assert door.knocks(2, address=elsewhere(1)) == 2


def test_success_clears_the_account_and_the_device_in_every_window(door: Door) -> None:
    door.knocks(2)
    door.knocks(3, address=elsewhere(1), device=DEVICE)
    door.open(device=DEVICE)
    assert door.knocks(3, address=elsewhere(2)) == 2
    assert door.knocks(4, address=elsewhere(3), device=DEVICE) == 3
    door.open()
    door.now += timedelta(seconds=60)
    assert door.knocks(2) == 2
    door.now += timedelta(seconds=60)
    assert door.knocks(2) == 2


def test_success_gives_the_address_back_its_own_hit_and_no_other(door: Door) -> None:
    """Else an attacker signs in to an account of his own between guesses, or an office of fifty is kept out."""
    for n in range(5):
        door.knock(name=f"victim{n}")
        door.knock(name="mallory")
        door.open(name="mallory")
    assert door.knock(name="victim5") == Allowed()
    assert door.knock(name="victim6") == Wait(60)


def test_success_of_one_account_clears_no_other(door: Door) -> None:
    door.knocks(2)
    door.open(name="mallory", device=DEVICE)
    assert door.knocks(1) == 0


def test_another_spelling_of_the_name_has_no_counter_of_its_own(door: Door) -> None:
    names = ["Alice", "ALICE", "\uff41lice"]
    assert [door.knock(name=canonical(name)) for name in names] == [Allowed(), Allowed(), Wait(60)]


def test_counters_outlive_a_restart_and_are_shared(door: Door, database: Database) -> None:
    door.knocks(2)
    again = Database(database.url.render_as_string(hide_password=False))
    assert Door(again, FEW).knock() == Wait(60)
    again.close()


def test_a_hostile_name_makes_no_long_row_and_is_not_stored(door: Door, database: Database) -> None:
    door.knock(name="n\U0001f600/%" * 500, address="x" * 100_000)
    keys = database.read(lambda db: db.scalars(select(throttle.c.key)).all())
    assert len(keys) == 4
    assert all(len(key) < 100 and key.isascii() for key in keys)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0000:0000:0000:0001"),
        ("fe80::1%eth0", "fe80::2%eth1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("", "unknown"),
        ("203.0.113.7, 10.0.0.1", "203.0.113.07"),
        ("\ud800", "\uff11.1.1.1"),
        ("x" * 10_000_000, "\0"),
        ("fe80::1%" + "zone" * 100, "nonsense"),
    ],
)
def test_what_one_customer_can_vary_is_one_address(one: str, other: str) -> None:
    assert network(one) == network(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("203.0.113.7", "203.0.113.8"),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8"),
        ("2001:db8:1:2::1", "2001:db8:1:3::1"),
        ("0.0.0.0", "::"),
        ("::", "nonsense"),
    ],
)
def test_different_customers_are_different_addresses(one: str, other: str) -> None:
    assert network(one) != network(other)


@given(st.text(st.characters(exclude_categories=()), max_size=80))
def test_any_text_may_be_an_address(text: str) -> None:
    assert len(network(text)) in (0, 4, 8)


def test_purge_deletes_expired_counters_in_batches_and_no_others(door: Door, database: Database) -> None:
    door.knocks(1)  # two rows end after a minute, two after ten
    later = NOW + timedelta(seconds=60)
    removed = [database.write(lambda db: purge(db, later, batch=1)) for _ in range(3)]
    assert removed == [1, 1, 0]
    left = database.read(lambda db: db.scalar(select(func.count()).select_from(throttle)))
    assert left == 2
