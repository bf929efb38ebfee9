"""The one decision about a device, and guesses at codes, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from authserver.accounts.throttling import Wait
from authserver.audit import store as audit
from authserver.database import Database
from authserver.devices import deciding
from authserver.devices.asking import GOOD_FOR, Codes
from authserver.devices.deciding import FROM_ONE_ADDRESS, OF_ONE_ACCOUNT, Person
from authserver.devices.store import Asked
from tests.clocks import HandClock

WRONG = "BCDF-GHJK"


def look(database: Database, code: str, person: Person, clock: HandClock) -> Asked | Wait | None:
    return database.write(lambda db: deciding.look(db, code, person, clock.now()))


def test_first_decision_counts_and_no_other(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    asked = look(database, codes.user_code, person, clock)
    assert isinstance(asked, Asked)
    assert database.write(lambda db: deciding.refuse(db, asked, person, clock.now()))
    assert not database.write(lambda db: deciding.allow(db, asked, person, lambda: "grant", clock.now()))
    assert look(database, codes.user_code, person, clock) is None


def test_of_many_decisions_at_once_one_wins(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    def decide(db: Connection, number: int) -> bool:
        asked = deciding.look(db, codes.user_code, person, clock.now())
        if not isinstance(asked, Asked):
            return False
        if number % 2:
            return deciding.refuse(db, asked, person, clock.now())
        return deciding.allow(db, asked, person, lambda: f"grant-{number}", clock.now())

    with ThreadPoolExecutor(4) as threads:
        won = list(threads.map(lambda number: database.write(lambda db: decide(db, number)), range(12)))
    assert sum(won) == 1


def test_decision_comes_too_late_for_a_code_that_is_over(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    asked = look(database, codes.user_code, person, clock)
    assert isinstance(asked, Asked)
    clock.advance(GOOD_FOR)
    assert not database.write(lambda db: deciding.refuse(db, asked, person, clock.now()))
    assert look(database, codes.user_code, person, clock) is None


def test_who_decided_what_and_from_where_is_in_the_audit_log(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    asked = look(database, codes.user_code, person, clock)
    assert isinstance(asked, Asked)
    database.write(lambda db: deciding.allow(db, asked, person, lambda: "grant", clock.now()))
    [entry] = database.read(lambda db: audit.entries(db, limit=1))
    assert (entry.event, entry.actor, entry.account_id) == (
        "device.allowed",
        "account",
        person.who.account.id,
    )
    assert (entry.session_id, entry.address) == ("session", "198.51.100.9")
    assert entry.detail["device_address"] == "203.0.113.7"


def test_guesses_of_an_account_are_counted_wherever_they_come_from(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    window = OF_ONE_ACCOUNT[0]
    for number in range(window.attempts):
        assert look(database, WRONG, replace(person, address=f"198.51.100.{number}"), clock) is None
    assert look(database, codes.user_code, person, clock) == Wait(window.seconds)


def test_guesses_of_an_address_are_counted_whoever_makes_them(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    window = FROM_ONE_ADDRESS[0]

    def guess(db: Connection) -> None:
        for number in range(window.attempts):
            account = replace(person.who.account, id=f"account-{number}")
            other = replace(person, who=replace(person.who, account=account))
            assert deciding.look(db, WRONG, other, clock.now()) is None

    database.write(guess)
    assert isinstance(look(database, codes.user_code, person, clock), Wait)


def test_day_has_fewer_guesses_than_its_ten_minutes_have(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    short, day = OF_ONE_ACCOUNT

    def guess(db: Connection) -> None:
        for number in range(short.attempts):
            other = replace(person, address=f"198.51.100.{number}")
            assert deciding.look(db, WRONG, other, clock.now()) is None

    for _ in range(day.attempts // short.attempts):
        database.write(guess)
        clock.advance(timedelta(seconds=short.seconds))
    assert isinstance(look(database, WRONG, person, clock), Wait)
