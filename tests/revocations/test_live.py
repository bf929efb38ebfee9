"""The list in a server's memory: follows, forgets, and notices a restored database."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.database import Database
from authserver.opaque import new_id
from authserver.protocol.revocation import Kind
from authserver.revocations import feed, store
from authserver.revocations.live import LiveRevocations
from tests.clocks import HandClock


def add(database: Database, clock: HandClock, *values: str, lasting: timedelta = timedelta(hours=1)) -> None:
    def step(db: Connection) -> None:
        for value in values:
            store.append(db, Kind.JTI, value, now=clock.now(), expires_at=clock.now() + lasting)

    database.write(step)


def values(live: LiveRevocations) -> list[str]:
    assert live.known is not None
    return [entry.value for entry in live.known.entries]


@pytest.fixture
def live(database: Database, clock: HandClock) -> LiveRevocations:
    return LiveRevocations(database, clock)


def test_only_what_is_new_is_read_and_in_its_order(
    database: Database, live: LiveRevocations, clock: HandClock
) -> None:
    assert live.refresh()
    assert not live.refresh()
    add(database, clock, "a", "b")
    assert live.refresh()
    add(database, clock, "c")
    assert live.refresh()
    assert values(live) == ["a", "b", "c"]
    assert live.known is not None
    assert [entry.value for entry in live.known.after(1)] == ["b", "c"]
    assert live.known.after(3) == live.known.after(99) == ()


def test_what_has_expired_is_forgotten_though_nothing_new_came(
    database: Database, live: LiveRevocations, clock: HandClock
) -> None:
    add(database, clock, "short", lasting=timedelta(minutes=1))
    add(database, clock, "long")
    live.refresh()
    clock.advance(timedelta(minutes=1))
    assert not live.refresh()
    assert values(live) == ["long"]


def test_what_has_expired_is_forgotten_behind_entries_that_stay_long(
    database: Database, live: LiveRevocations, clock: HandClock
) -> None:
    """A compromised key stays for a year; after many of them the list must not grow without end."""
    add(database, clock, *map(str, range(70)), lasting=timedelta(days=365))
    add(database, clock, "short", lasting=timedelta(minutes=1))
    live.refresh()
    clock.advance(timedelta(minutes=1))
    live.refresh()
    assert "short" not in values(live)


@pytest.mark.parametrize("change", ["sequence = 1", "mark = 'another'"])
def test_a_restored_database_makes_the_server_read_anew(
    database: Database, live: LiveRevocations, clock: HandClock, change: str
) -> None:
    add(database, clock, "a", "b", "c")
    live.refresh()

    def restore(db: Connection) -> None:
        db.exec_driver_sql("DELETE FROM revocation WHERE sequence > 1")
        db.exec_driver_sql(f"UPDATE revocation_head SET {change}")

    database.write(restore)
    assert live.refresh()
    assert values(live) == ["a"]


def test_a_restored_database_that_has_counted_on_is_noticed_by_its_marks(
    database: Database, live: LiveRevocations, clock: HandClock
) -> None:
    add(database, clock, "a", "b", "c")
    live.refresh()

    def restore(db: Connection) -> None:
        db.exec_driver_sql("DELETE FROM revocation WHERE sequence > 1")
        db.exec_driver_sql("UPDATE revocation_head SET sequence = 1")

    database.write(restore)
    add(database, clock, "x", "y", "z")
    assert live.refresh()
    assert values(live) == ["a", "x", "y", "z"]


def test_the_mark_of_a_place_is_known_while_its_entry_lives_and_a_while_longer(
    database: Database, live: LiveRevocations, clock: HandClock
) -> None:
    add(database, clock, "a", "b", lasting=timedelta(minutes=2))
    live.refresh()
    assert live.known is not None
    marks = [live.known.mark_at(number) for number in range(4)]
    assert marks[0] is marks[3] is None
    assert len({marks[1], marks[2], live.known.head.mark}) == 2
    clock.advance(timedelta(minutes=3))
    add(database, clock, "c")
    live.refresh()
    assert live.known.mark_at(2) == marks[2]
    assert values(live) == ["c"]


def test_a_cut_off_is_told_in_whole_seconds_that_lose_nobody(database: Database, clock: HandClock) -> None:
    moment = clock.now() + timedelta(milliseconds=1)
    database.write(
        lambda db: store.append(db, Kind.SUB, "x", now=moment, expires_at=moment, before=moment) and None
    )
    head = store.Head(1, new_id())
    [entry] = database.read(lambda db: store.after(db, 0, 1, clock.now()))
    [told] = feed.claims("iss", head, [entry], since=None, confirmed_at=moment)["events"][
        "urn:authserver:revocations"
    ]["entries"]
    whole = int(clock.now().timestamp())
    assert (told["before"], told["exp"]) == (whole + 1, whole + 1)


@pytest.mark.parametrize(("kind", "has_cutoff"), [(Kind.SUB, False), (Kind.SID, True), (Kind.KID, True)])
def test_a_cut_off_where_none_belongs_is_a_mistake_of_ours(
    database: Database, clock: HandClock, kind: Kind, has_cutoff: bool
) -> None:
    before = clock.now() if has_cutoff else None
    with pytest.raises(ValueError, match="cut-off"):
        database.write(
            lambda db: store.append(db, kind, "x", now=clock.now(), expires_at=clock.now(), before=before)
        )
