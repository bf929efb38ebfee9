"""What is written about services, on both databases, by several servers at once."""

from datetime import timedelta

import pytest

from authserver.database import Database
from authserver.services import store
from authserver.services.store import Instance
from tests.services.saying import NOW, instance

SECOND = timedelta(seconds=1)


def save(database: Database, *instances: Instance) -> None:
    database.write(lambda db: store.save(db, instances))


def stored(database: Database) -> list[Instance]:
    return database.read(store.instances)


def test_instances_are_read_as_they_were_written_in_the_order_of_names(database: Database) -> None:
    orders, billing = instance(service="주문"), instance(service="billing", kids=[], by="poll")
    save(database, orders, billing)
    assert stored(database) == [billing, orders]


def test_writing_nothing_is_no_statement(database: Database) -> None:
    save(database)
    assert stored(database) == []


def test_an_instance_that_stays_where_it_is_keeps_the_moment_of_its_news(database: Database) -> None:
    save(database, instance())
    after_a_restart_of_the_server = instance(NOW + SECOND)
    save(database, after_a_restart_of_the_server)
    [found] = stored(database)
    assert (found.first_heard_at, found.heard_at, found.seen_at) == (NOW, NOW, NOW + SECOND)


def test_an_instance_that_moved_has_the_moment_of_its_move(database: Database) -> None:
    save(database, instance())
    save(database, instance(NOW + SECOND, sequence=8, mark="m8", kids=["k9"], by="poll"))
    [found] = stored(database)
    assert (found.sequence, found.mark, found.kids, found.by) == (8, "m8", ("k9",), "poll")
    assert (found.first_heard_at, found.heard_at) == (NOW, NOW + SECOND)


def test_the_same_number_of_another_history_is_news(database: Database) -> None:
    save(database, instance())
    save(database, instance(NOW + SECOND, mark="of the restored list"))
    assert stored(database)[0].heard_at == NOW + SECOND


def test_the_earlier_of_two_servers_moments_counts(database: Database) -> None:
    save(database, instance(NOW + SECOND))
    save(database, instance(NOW, seen_at=NOW + 2 * SECOND))
    assert stored(database)[0].heard_at == NOW


def test_what_was_said_first_and_is_written_last_changes_nothing(database: Database) -> None:
    newest = instance(NOW + SECOND, sequence=8)
    save(database, newest)
    save(database, instance())
    assert stored(database) == [newest]


def test_a_service_is_forgotten_and_no_other(database: Database) -> None:
    save(database, instance(), instance(instance="two"), instance(service="billing"))
    assert database.write(lambda db: store.forget(db, "orders")) == 2
    assert database.write(lambda db: store.forget(db, "orders")) == 0
    assert [one.service for one in stored(database)] == ["billing"]


def test_who_was_silent_for_a_day_is_purged_in_batches(database: Database) -> None:
    silent = [instance(NOW - timedelta(days=1), instance=f"silent-{number}") for number in range(3)]
    save(database, *silent, instance(NOW - timedelta(hours=23)))
    assert [database.write(lambda db: store.purge(db, NOW, 2)) for _ in range(3)] == [2, 1, 0]
    assert [one.instance for one in stored(database)] == ["one"]


def test_made_up_names_cannot_fill_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_ROWS", 3)
    save(database, *(instance(NOW + number * SECOND, instance=f"i{number}") for number in range(5)))
    assert database.write(lambda db: store.purge(db, NOW)) == 2
    assert [one.instance for one in stored(database)] == ["i2", "i3", "i4"]
