"""The list as a verifier asks it: as current as the server's own, and no larger."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.database import Database
from authserver.protocol.revocation import Kind
from authserver.revocations import store
from authserver.revocations.index import RevocationIndex
from authserver.revocations.live import LiveRevocations
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock

pytestmark = SQLITE_ONLY
CLAIMS = {"sid": "session", "jti": "token", "sub": "person", "client_id": "app", "iat": 0}


@pytest.fixture
def live(database: Database, clock: HandClock) -> LiveRevocations:
    return LiveRevocations(database, clock)


@pytest.fixture
def index(live: LiveRevocations) -> RevocationIndex:
    return RevocationIndex(live)


def end(database: Database, clock: HandClock, session: str, lasting: timedelta = timedelta(hours=1)) -> None:
    now = clock.now()
    database.write(lambda db: store.append(db, Kind.SID, session, now=now, expires_at=now + lasting))


def ends(index: RevocationIndex, session: str) -> bool:
    current = index.current()
    assert current is not None
    return current.hit(CLAIMS | {"sid": session}, "kid") is not None


def test_before_the_first_look_there_is_no_list(live: LiveRevocations, index: RevocationIndex) -> None:
    assert index.current() is None
    live.refresh()
    assert index.current() is not None


def test_what_is_new_is_added_to_what_is_there(
    database: Database, live: LiveRevocations, index: RevocationIndex, clock: HandClock
) -> None:
    """Building a list of a million entries anew for each sign-out would take seconds."""
    end(database, clock, "a")
    live.refresh()
    first = index.current()
    end(database, clock, "b")
    assert not ends(index, "b")
    live.refresh()
    assert ends(index, "a")
    assert ends(index, "b")
    assert index.current() is first


def test_a_cut_off_ends_what_was_issued_before_it(
    database: Database, live: LiveRevocations, index: RevocationIndex, clock: HandClock
) -> None:
    now, later = clock.now(), clock.now() + timedelta(hours=1)
    database.write(
        lambda db: store.append(
            db, Kind.SUB, "person", now=now, expires_at=later, before=now + timedelta(milliseconds=1)
        )
    )
    live.refresh()
    current, moment = index.current(), int(now.timestamp())
    assert current is not None
    assert current.hit(CLAIMS | {"iat": moment}, "kid") is not None
    assert current.hit(CLAIMS | {"iat": moment + 1}, "kid") is None


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_restored_database_is_followed_to_where_it_stands(
    database: Database, live: LiveRevocations, index: RevocationIndex, clock: HandClock, goes_on: bool
) -> None:
    for session in ("a", "b", "c"):
        end(database, clock, session)
    live.refresh()
    assert ends(index, "c")
    database.write(restore_to_the_first)
    if goes_on:
        for session in ("x", "y", "z"):
            end(database, clock, session)
    live.refresh()
    assert [session for session in "abcxyz" if ends(index, session)] == (["a", *"xyz"] if goes_on else ["a"])


def restore_to_the_first(db: Connection) -> None:
    db.exec_driver_sql("DELETE FROM revocation WHERE sequence > 1")
    db.exec_driver_sql("UPDATE revocation_head SET sequence = 1, mark = (SELECT mark FROM revocation)")


def test_what_has_expired_is_forgotten(
    database: Database, live: LiveRevocations, index: RevocationIndex, clock: HandClock
) -> None:
    end(database, clock, "a", lasting=timedelta(minutes=1))
    live.refresh()
    assert len(index.current() or ()) == 1
    clock.advance(timedelta(minutes=3))
    live.refresh()
    assert len(index.current() or ()) == 0
