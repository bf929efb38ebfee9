"""The recurring jobs: done by one server at a time, in small steps."""

from datetime import timedelta

from sqlalchemy import Connection, func, select

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.protocol.revocation import Kind
from authserver.revocations import store as revocations
from authserver.revocations.models import revocation
from authserver.sessions.models import session
from tests.clocks import HandClock
from tests.conftest import PASSWORD, MakeCapabilities
from tests.services.saying import said
from tests.visitor import Visitor


def rows(server: Server, column: object) -> int:
    counted = select(func.count()).select_from(column)  # type: ignore[arg-type]  # a table
    return int(server.capabilities.database.read(lambda db: db.execute(counted).scalar_one()))


def test_a_revocation_is_purged_a_day_after_its_last_token_has_expired_and_not_before(
    server: Server, clock: HandClock
) -> None:
    def revoke(db: Connection) -> None:
        for number in range(1200):
            expires_at = clock.now() + timedelta(hours=1 if number else 2)
            revocations.append(db, Kind.JTI, f"jti-{number}", now=clock.now(), expires_at=expires_at)

    server.capabilities.database.write(revoke)
    assert server.capabilities.maintenance.run().purged["revocations"] == 0
    clock.advance(timedelta(days=1, minutes=59))
    assert server.capabilities.maintenance.run().purged["revocations"] == 0
    clock.advance(timedelta(minutes=1))
    assert server.capabilities.maintenance.run().purged["revocations"] == 1199
    assert rows(server, revocation) == 1


def test_an_ended_session_is_kept_for_a_week_and_then_purged(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in(alice.username, PASSWORD)
    visitor.post("/logout", json={})
    clock.advance(timedelta(days=6))
    server.capabilities.maintenance.run()
    assert rows(server, session) == 1
    clock.advance(timedelta(days=2))
    assert server.capabilities.maintenance.run().purged["sessions"] == 1
    assert rows(server, session) == 0


def test_of_two_servers_one_does_the_maintenance(
    server: Server, make_capabilities: MakeCapabilities, clock: HandClock
) -> None:
    other = make_capabilities().maintenance
    assert server.capabilities.maintenance.run_if_mine() is not None
    assert other.run_if_mine() is None
    clock.advance(timedelta(minutes=2))
    assert other.run_if_mine() is not None
    assert server.capabilities.maintenance.run_if_mine() is None


def test_maintenance_rotates_a_key_that_is_due(server: Server, clock: HandClock) -> None:
    before = server.tokens.signer().kid
    clock.advance(timedelta(days=30))
    server.maintain()
    server.follow()
    assert server.tokens.signer().kid != before


def test_a_service_that_was_silent_for_a_day_is_forgotten(server: Server, clock: HandClock) -> None:
    server.services.hear(said(), "203.0.113.7")
    server.services.write_heard()
    clock.advance(timedelta(hours=23))
    assert server.capabilities.maintenance.run().purged["service_instances"] == 0
    clock.advance(timedelta(hours=1))
    assert server.capabilities.maintenance.run().purged["service_instances"] == 1
