"""The server's clock leaps and is set right again: nobody who was signed out may come back by it."""

from datetime import timedelta

from authserver.app import Server
from authserver.protocol.revocation import Kind
from authserver.revocations import store
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import MakeServer

HOUR = timedelta(hours=1)


def sign_out(server: Server, session: str, lasting: timedelta = HOUR) -> None:
    now = server.capabilities.clock.now()
    server.capabilities.database.write(
        lambda db: store.append(db, Kind.SID, session, now=now, expires_at=now + lasting)
    )


def listed(server: Server) -> tuple[list[str], int]:
    """What readers are told, and how much this server's own verifier knows."""
    server.follow()
    known, index = server.revocations.known, server.live.revoked.current()
    assert known is not None
    assert index is not None
    return [entry.value for entry in known.entries], len(index)


@SQLITE_ONLY
def test_a_servers_clock_that_leapt_and_came_back_brings_nobody_back(
    server: Server, clock: HandClock
) -> None:
    sign_out(server, "alice")
    assert listed(server) == (["alice"], 1)
    clock.advance(3 * HOUR)
    assert listed(server) == ([], 0)
    clock.advance(-3 * HOUR)
    assert listed(server) == (["alice"], 1)


@SQLITE_ONLY
def test_after_a_leap_what_expires_is_forgotten_as_before(server: Server, clock: HandClock) -> None:
    """Or a list that was read at noon would grow until the clock shows the moment of its leap."""
    sign_out(server, "alice", timedelta(minutes=5))
    for leap in (3 * HOUR, -3 * HOUR):
        clock.advance(leap)
        server.follow()
    assert listed(server) == (["alice"], 1)
    clock.advance(timedelta(minutes=6))
    assert listed(server) == ([], 0)


def test_a_purge_by_a_clock_that_is_ahead_deletes_nobody_who_is_still_signed_out(
    make_server: MakeServer, clock: HandClock
) -> None:
    purging, other = make_server(), make_server()
    sign_out(purging, "alice")
    clock.advance(24 * HOUR)
    purging.maintain()
    clock.advance(-24 * HOUR)
    assert listed(other) == (["alice"], 1)
