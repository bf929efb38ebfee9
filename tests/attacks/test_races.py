"""Two things at once, in the one order in which it would hurt: each is played, not hoped for."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.capabilities import Outside
from authserver.keyring.generation import Generate
from authserver.resource.refusal import Reason
from tests.attacks.marks import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.visitor import Visitor

TOKEN = "__Host-access_token"


class StallingClock(HandClock):
    """Stalls one thread right after it has looked at the time: a pause that any machine may make there."""

    def __init__(self) -> None:
        super().__init__()
        self._stalled: threading.Thread | None = None
        self.has_looked = threading.Event()
        self.go_on = threading.Event()

    def now(self) -> datetime:
        moment = super().now()
        if threading.current_thread() is self._stalled and not self.has_looked.is_set():
            self.has_looked.set()
            assert self.go_on.wait(10)
        return moment

    def stall(self, work: Callable[[], object]) -> threading.Thread:
        self._stalled = threading.Thread(target=work)
        self._stalled.start()
        assert self.has_looked.wait(10)
        return self._stalled


@pytest.fixture
def clock() -> Iterator[StallingClock]:
    clock = StallingClock()
    yield clock
    clock.go_on.set()


@pytest.fixture
def outside(clock: StallingClock, generate: Generate, outside: Outside) -> Outside:
    return Outside(clock, generate, outside.hashing)


@pytest.fixture
def service(server: Server, make_visitor: MakeVisitor) -> ResourceService:
    return ResourceService(server, make_visitor(server))


def stalled_sign_out(server: Server, account: Account, clock: StallingClock) -> threading.Thread:
    """Begin a sign-out everywhere, and stop it between its look at the clock and its first statement."""
    parts = server.capabilities

    def everywhere() -> None:
        parts.database.write(lambda db: parts.consequences.sign_out(db, account, clock.now()) and None)

    return clock.stall(everywhere)


@POSTGRESQL_ONLY
def test_a_token_renewed_while_everywhere_was_being_signed_out_does_not_outlive_it(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: StallingClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    sign_out = stalled_sign_out(server, alice, clock)
    clock.advance(timedelta(seconds=1.5))
    assert visitor.post("/session/refresh", json={}).status_code == 200
    clock.go_on.set()
    sign_out.join()
    assert visitor.post("/session/refresh", json={}).status_code == 401
    assert service.refusal(visitor.cookie(TOKEN)) is Reason.SIGNED_OUT


@POSTGRESQL_ONLY
def test_a_token_of_a_sign_in_that_a_sign_out_everywhere_ended_is_ended_too(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: StallingClock
) -> None:
    sign_out = stalled_sign_out(server, alice, clock)
    clock.advance(timedelta(seconds=1.5))
    visitor.sign_in("alice", PASSWORD)
    clock.go_on.set()
    sign_out.join()
    assert visitor.post("/session/refresh", json={}).status_code == 401
    assert service.refusal(visitor.cookie(TOKEN)) is Reason.SIGNED_OUT


@POSTGRESQL_ONLY
def test_a_token_renewed_while_a_role_was_being_taken_away_does_not_keep_it(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: StallingClock
) -> None:
    """The change is begun in one second and committed in the next; the renewal comes in between."""
    parts = server.capabilities
    visitor.sign_in("alice", PASSWORD)
    clock.advance(0.9)
    renewal = threading.Thread(target=lambda: visitor.post("/session/refresh", json={}))
    with parts.database.engine.connect() as db:
        parts.consequences.set_roles(db, alice, ["user"], clock.now())
        clock.advance(0.2)
        renewal.start()
        renewal.join(1.0)  # long enough for one that does not wait for the change
        db.commit()
    renewal.join()
    verdict = service.verdict(visitor.cookie(TOKEN))
    assert "staff" not in getattr(verdict, "roles", ())


def test_a_server_whose_clock_is_ahead_gives_out_no_token_that_outlives_a_sign_out_everywhere(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: StallingClock
) -> None:
    """Clocks of servers may differ by `clock_skew`: one mints ten seconds ahead, another signs out."""
    clock.advance(10)
    visitor.sign_in("alice", PASSWORD)
    clock.advance(-10)
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.sign_out(db, alice, clock.now()) and None)
    assert service.refusal(visitor.cookie(TOKEN)) is Reason.SIGNED_OUT


@SQLITE_ONLY
def test_a_clock_that_was_set_back_makes_nobody_wait_for_an_hour(
    server: Server, visitor: Visitor, alice: Account, clock: StallingClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    visitor.post("/logout", json={"everywhere": True})
    clock.advance(timedelta(hours=-1))
    server.follow()
    answer = visitor.sign_in("alice", PASSWORD)
    assert clock.waited <= timedelta(seconds=60)
    assert answer.status_code == 200 or answer.headers["retry-after"]


def test_sign_ins_renewals_and_sign_outs_of_one_account_at_once_never_fail(
    server: Server, make_visitor: MakeVisitor, alice: Account, service: ResourceService
) -> None:
    visitor = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    header = {"Cookie": f"__Host-session={visitor.cookie('__Host-session')}"}
    requests: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/login", {"json": {"username": "alice", "password": PASSWORD}, "headers": header}),
        ("POST", "/session/refresh", {"json": {}, "headers": header}),
        ("GET", "/account", {"headers": {**header, "Accept": "application/json"}}),
        ("POST", "/logout", {"json": {"everywhere": True}, "headers": header}),
    ]
    statuses = {answer.status_code for answer in visitor.together(*requests * 5)}
    assert statuses <= {200, 401}
