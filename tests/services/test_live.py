"""What a running server does with reports: remembers them, writes them together, and is not filled by strangers."""

import io
import json
from contextlib import redirect_stderr
from datetime import timedelta

import pytest

from authserver import logs
from authserver.database import Database
from authserver.services import store
from authserver.services.live import LiveServices
from authserver.services.store import Instance
from tests.attacks.fast_servers import logs_of_production
from tests.attacks.sabotage import execute
from tests.clocks import HandClock
from tests.services.saying import NOW, said

__all__ = ["logs_of_production"]

HERE, THERE = "203.0.113.7", "203.0.113.8"


@pytest.fixture
def live(database: Database, clock: HandClock) -> LiveServices:
    return LiveServices(database, clock, most=3)


def stored(database: Database) -> list[Instance]:
    return database.read(store.instances)


def names(database: Database) -> list[str]:
    return [one.instance for one in stored(database)]


def test_what_was_heard_is_written_once(live: LiveServices, database: Database, clock: HandClock) -> None:
    assert live.hear(said(), HERE)
    assert stored(database) == []
    clock.advance(0.5)
    assert (live.write_heard(), live.write_heard()) == (1, 0)
    [found] = stored(database)
    assert (found.service, found.sequence, found.kids) == ("orders", 7, ("k1", "k2"))
    assert (found.first_heard_at, found.heard_at, found.seen_at) == (NOW, NOW, NOW)


def test_what_is_new_is_written_at_once_and_a_mere_sign_of_life_some_seconds_later(
    live: LiveServices, database: Database, clock: HandClock
) -> None:
    live.hear(said(), HERE)
    live.write_heard()
    clock.advance(1)
    live.hear(said(), HERE)
    assert live.write_heard() == 0
    live.hear(said(sequence=8), HERE)
    assert live.write_heard() == 1
    clock.advance(5)
    live.hear(said(sequence=8), HERE)
    assert live.write_heard() == 1
    [found] = stored(database)
    assert (found.heard_at - NOW, found.seen_at - NOW) == (timedelta(seconds=1), timedelta(seconds=6))


@pytest.mark.parametrize("new", [{"sequence": 8}, {"mark": "other"}, {"kids": ["k3"]}])
def test_a_sequence_a_mark_and_a_key_are_news(live: LiveServices, new: dict[str, object]) -> None:
    live.hear(said(), HERE)
    live.write_heard()
    live.hear(said(**new), HERE)
    assert live.write_heard() == 1


def test_several_reports_between_two_writes_are_one_row(live: LiveServices, database: Database) -> None:
    for sequence in (7, 8, 9):
        live.hear(said(sequence=sequence), HERE)
    assert live.write_heard() == 1
    assert stored(database)[0].sequence == 9


def test_nothing_is_lost_while_the_database_is_away(live: LiveServices, database: Database) -> None:
    execute(database, "ALTER TABLE service_instance RENAME TO away")
    live.hear(said(), HERE)
    with pytest.raises(Exception, match="service_instance"):
        live.write_heard()
    live.hear(said(instance="two"), HERE)
    live.hear(said(sequence=8), HERE)
    execute(database, "ALTER TABLE away RENAME TO service_instance")
    assert live.write_heard() == 2
    assert [(one.instance, one.sequence) for one in stored(database)] == [("one", 8), ("two", 7)]


def test_what_waits_for_the_database_is_bounded_as_well(live: LiveServices, clock: HandClock) -> None:
    for number in range(20):
        clock.advance(25)
        live.hear(said(instance=str(number)), HERE)
    assert live.write_heard() == 2, "the others fell silent before anybody could be told of them"


@pytest.fixture
def log(logs_of_production: None) -> io.StringIO:
    stream = io.StringIO()
    with redirect_stderr(stream):
        logs.configure("json", "INFO")
    return stream


def levels(log: io.StringIO) -> list[str]:
    return [json.loads(line)["level"] for line in log.getvalue().splitlines()]


def test_there_is_room_for_so_many_and_the_log_says_so_once_a_minute(
    live: LiveServices, clock: HandClock, log: io.StringIO
) -> None:
    assert [live.hear(said(instance=name), HERE) for name in "abcdef"] == [True] * 3 + [False] * 3
    assert levels(log) == ["warning"]
    for sequence in (7, 8):
        clock.advance(30.5)
        assert all(live.hear(said(instance=name, sequence=sequence), HERE) for name in "abc"), (
            "who is known goes on"
        )
    assert not live.hear(said(instance="g"), HERE)
    assert levels(log) == ["warning", "warning"]


def test_who_fell_silent_makes_room(live: LiveServices, clock: HandClock) -> None:
    for name in "abc":
        live.hear(said(instance=name), HERE)
        clock.advance(18)
    assert live.hear(said(instance="d"), HERE), "a has said nothing for most of a minute"
    assert not live.hear(said(instance="e"), HERE)


def test_a_flood_from_one_address_takes_no_room_from_another(live: LiveServices, database: Database) -> None:
    assert [live.hear(said(instance=str(number)), HERE) for number in range(9)].count(True) == 3
    assert live.hear(said(service="billing"), THERE)
    assert not live.hear(said(instance="9"), HERE)
    live.write_heard()
    assert [one.service for one in stored(database)] == ["billing", "orders", "orders"]


def test_an_address_that_has_its_share_takes_none_from_a_neighbour(live: LiveServices) -> None:
    for number, address in enumerate((HERE, HERE, THERE)):
        assert live.hear(said(instance=str(number)), address)
    assert not live.hear(said(instance="more"), THERE)


def test_an_instance_that_moves_to_another_address_is_counted_there(live: LiveServices) -> None:
    for address in (HERE, THERE):
        assert live.hear(said(), address)
    assert live._addresses == {THERE: 1}
