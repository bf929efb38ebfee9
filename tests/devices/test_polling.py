"""How often a device may ask, and what it is told, on both databases."""

from datetime import timedelta

from authserver.database import Database
from authserver.devices import deciding
from authserver.devices.asking import GOOD_FOR, Codes
from authserver.devices.deciding import Person
from authserver.devices.polling import NotYet, poll
from authserver.devices.store import Asked
from tests.clocks import HandClock


def ask(database: Database, codes: Codes, clock: HandClock, client_id: str = "tv") -> str | NotYet:
    return database.write(lambda db: poll(db, codes.device_code, client_id, clock.now()))


def decide(database: Database, codes: Codes, person: Person, clock: HandClock, *, yes: bool) -> bool:
    now = clock.now()
    asked = database.write(lambda db: deciding.look(db, codes.user_code, person, now))
    assert isinstance(asked, Asked)
    if yes:
        return database.write(lambda db: deciding.allow(db, asked, person, lambda: "grant", now))
    return database.write(lambda db: deciding.refuse(db, asked, person, now))


def test_device_waits_until_somebody_has_decided(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    assert ask(database, codes, clock) is NotYet.PENDING
    assert decide(database, codes, person, clock, yes=True)
    assert ask(database, codes, clock) == "grant"  # at once, though it asked just now


def test_no_is_told_as_such(database: Database, codes: Codes, person: Person, clock: HandClock) -> None:
    assert decide(database, codes, person, clock, yes=False)
    assert ask(database, codes, clock) is NotYet.DENIED


def test_each_early_poll_makes_the_wait_five_seconds_longer_for_good(
    database: Database, codes: Codes, clock: HandClock
) -> None:
    expected = (
        (0, NotYet.PENDING),
        (5, NotYet.PENDING),
        (1, NotYet.TOO_FAST),  # from now on 10
        (5, NotYet.TOO_FAST),  # 15
        (15, NotYet.PENDING),
        (10, NotYet.TOO_FAST),  # 20
        (20, NotYet.PENDING),
    )
    for seconds, says in expected:
        clock.advance(seconds)
        assert ask(database, codes, clock) is says


def test_timer_that_is_a_little_early_is_forgiven(database: Database, codes: Codes, clock: HandClock) -> None:
    ask(database, codes, clock)
    clock.advance(4.5)
    assert ask(database, codes, clock) is NotYet.PENDING
    clock.advance(4.4)
    assert ask(database, codes, clock) is NotYet.TOO_FAST


def test_nobody_elses_and_no_invented_code_is_known(
    database: Database, codes: Codes, clock: HandClock
) -> None:
    assert ask(database, codes, clock, "radio") is NotYet.UNKNOWN
    assert database.write(lambda db: poll(db, "\udcff\0", "tv", clock.now())) is NotYet.UNKNOWN
    assert ask(database, codes, clock) is NotYet.PENDING


def test_code_is_over_after_its_time_decided_or_not(
    database: Database, codes: Codes, person: Person, clock: HandClock
) -> None:
    clock.advance(GOOD_FOR - timedelta(seconds=1))
    assert decide(database, codes, person, clock, yes=True)
    clock.advance(1)
    assert ask(database, codes, clock) is NotYet.EXPIRED
