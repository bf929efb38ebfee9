"""The bits in a server's memory: follow the revocation list, forget, and notice a restored database."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.database import Database
from authserver.protocol.revocation import Kind
from authserver.revocations import store as revocations
from authserver.status_lists import store
from authserver.status_lists.bits import SIZE
from authserver.status_lists.indexes import MOST_LISTS
from authserver.status_lists.live import FORGET_EVERY, LiveStatusLists
from authserver.status_lists.store import Given
from tests.attacks.watching import statements
from tests.clocks import HandClock
from tests.status_lists.reader import unpacked, value_at

LIVE = timedelta(hours=1)


def give(database: Database, clock: HandClock, *numbers: int, account: str = "alice") -> None:
    """Each index to a session that is named as it is."""
    now = clock.now()

    def step(db: Connection) -> None:
        for number in numbers:
            assert store.add(db, Given(number, account, f"s{number}", now, now + timedelta(days=30)))

    database.write(step)


def revoke(
    database: Database, clock: HandClock, kind: Kind, value: str, *, lasting: timedelta = LIVE
) -> None:
    now = clock.now()
    before = now + timedelta(seconds=1) if kind is Kind.SUB else None
    database.write(
        lambda db: revocations.append(db, kind, value, now=now, expires_at=now + lasting, before=before)
    )


def invalid(live: LiveStatusLists) -> set[int]:
    packed = [unpacked(bits.encoded()) for bits in live.lists]
    return {
        number * SIZE + index
        for number, bits in enumerate(packed)
        for at in (at for at, byte in enumerate(bits) if byte)
        for index in range(at * 8, at * 8 + 8)
        if value_at(bits, 1, index)
    }


@pytest.fixture
def live(database: Database, clock: HandClock) -> LiveStatusLists:
    return LiveStatusLists(database, clock)


def test_entries_of_sessions_and_accounts_become_bits_and_others_do_not(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    give(database, clock, 1, 2, 3)
    give(database, clock, 4, 5, account="bob")
    revoke(database, clock, Kind.SID, "s2")
    live.refresh()
    assert invalid(live) == {2}
    revoke(database, clock, Kind.SUB, "bob")
    for kind in (Kind.JTI, Kind.KID, Kind.SID):
        revoke(database, clock, kind, "unknown")
    live.refresh()
    assert invalid(live) == {2, 4, 5}


def test_an_index_given_after_a_cut_off_stays_valid(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    give(database, clock, 1)
    revoke(database, clock, Kind.SUB, "alice")
    clock.advance(1)
    give(database, clock, 2)
    live.refresh()
    assert invalid(live) == {1}


def test_a_look_that_finds_nothing_new_is_two_small_reads(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    give(database, clock, 1)
    revoke(database, clock, Kind.SID, "s1")
    live.refresh()
    with statements(database) as seen:
        live.refresh()
    assert len(seen) == 2
    assert not [statement for statement in seen if "JOIN" in statement or "UNION" in statement]


def test_another_server_that_begins_later_knows_the_same(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    give(database, clock, 1, SIZE + 2)
    live.refresh()
    revoke(database, clock, Kind.SID, f"s{SIZE + 2}")
    revoke(database, clock, Kind.SID, "s1")
    live.refresh()
    other = LiveStatusLists(database, clock)
    other.refresh()
    assert invalid(live) == invalid(other) == {1, SIZE + 2}


def test_a_bit_goes_when_no_token_can_be_alive_and_stays_for_a_later_entry(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    give(database, clock, 1, 2)
    revoke(database, clock, Kind.SID, "s1")
    revoke(database, clock, Kind.SUB, "alice", lasting=LIVE)
    live.refresh()
    clock.advance(timedelta(minutes=30))
    revoke(database, clock, Kind.SID, "s2")
    live.refresh()
    clock.advance(timedelta(minutes=30))
    live.refresh()
    assert invalid(live) == {2}
    clock.advance(timedelta(minutes=30) + FORGET_EVERY)
    live.refresh()
    assert invalid(live) == set()
    assert live._until == {}, "memory is bounded by the revocations of one token lifetime"


def test_the_index_of_an_expired_session_is_not_marked_for_whoever_has_it_next(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    give(database, clock, 1)
    clock.advance(timedelta(days=30))
    revoke(database, clock, Kind.SID, "s1")
    live.refresh()
    assert invalid(live) == set()


def test_a_restored_database_that_went_on_further_is_read_anew_too(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    """It counts to more than was seen: by its number alone it would be taken for a continuation."""
    give(database, clock, 1, 2, 3)
    revoke(database, clock, Kind.SID, "s1")
    revoke(database, clock, Kind.SID, "s2")
    live.refresh()

    def restore(db: Connection) -> None:
        db.exec_driver_sql("DELETE FROM revocation WHERE sequence > 1")
        db.exec_driver_sql("UPDATE revocation_head SET sequence = 1")

    database.write(restore)
    for value in ("s3", "unknown", "unknown"):
        revoke(database, clock, Kind.SID, value)
    live.refresh()
    assert invalid(live) == {1, 3}


@pytest.mark.parametrize("change", ["sequence = 1, mark = 'a'", "mark = 'another'"])
def test_a_restored_database_makes_the_server_read_anew(
    database: Database, live: LiveStatusLists, clock: HandClock, change: str
) -> None:
    give(database, clock, 1, 2)
    revoke(database, clock, Kind.SID, "s1")
    revoke(database, clock, Kind.SID, "s2")
    live.refresh()

    def restore(db: Connection) -> None:
        db.exec_driver_sql("DELETE FROM revocation WHERE sequence > 1")
        db.exec_driver_sql(f"UPDATE revocation_head SET {change}")

    database.write(restore)
    live.refresh()
    assert invalid(live) == {1}


def test_one_list_more_than_is_in_use_is_ready(
    database: Database, live: LiveStatusLists, clock: HandClock
) -> None:
    live.refresh()
    assert len(live.lists) == 1
    give(database, clock, 5)
    live.refresh()
    assert len(live.lists) == 2
    give(database, clock, (MOST_LISTS - 1) * SIZE)
    live.refresh()
    assert len(live.lists) == MOST_LISTS, "and no more than there can be"
