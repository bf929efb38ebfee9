"""Cookies kept past their time: after sign-out, after the idle limit, after the absolute one (SECURITY C07, C10)."""

from datetime import timedelta
from typing import Any

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.resource.refusal import Reason
from authserver.revocations import store as revocations
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.clocks import HandClock
from tests.conftest import PASSWORD, MakeServer, add_account
from tests.visitor import Visitor

SESSION, TOKEN = "__Host-session", "__Host-access_token"
FORM, DEVICE = "__Host-form", "__Host-device"


def with_cookies(visitor: Visitor, header: str) -> Any:
    """Ask who this is, with a Cookie header of the attacker's own making."""
    visitor.http.cookies.clear()
    return visitor.post("/session/refresh", json={}, headers={"Cookie": header})


def test_after_logout_every_copy_of_every_cookie_is_worthless(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account
) -> None:
    service = ResourceService(server, make_visitor(server))
    visitor.sign_in("alice", PASSWORD)
    session, token = visitor.cookie(SESSION), visitor.cookie(TOKEN)
    assert service.accepts(token)
    answer = visitor.post("/logout", json={})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["clear-site-data"] == '"storage"'
    assert service.refusal(token) is Reason.SIGNED_OUT
    assert with_cookies(visitor, f"{SESSION}={session}; {TOKEN}={token}").status_code == 401
    page = visitor.get("/account", headers={"Cookie": f"{SESSION}={session}", "Accept": "application/json"})
    assert page.status_code == 401


@SQLITE_ONLY
def test_no_page_of_a_signed_in_person_is_kept_by_any_cache(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    for path in ("/", "/account", "/account/password", "/login"):
        assert visitor.get(path, headers={"Accept": "text/html"}).headers["cache-control"] == "no-store"


def test_a_session_unused_for_the_idle_limit_has_ended(
    make_server: MakeServer, make_visitor: MakeVisitor, clock: HandClock
) -> None:
    server = make_server(session_idle_timeout="2h", session_lifetime="5h")
    add_account(server, "Alice")
    visitor = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    clock.advance(timedelta(hours=2) - timedelta(seconds=1))
    server.follow()
    assert visitor.post("/session/refresh", json={}).status_code == 200
    clock.advance(timedelta(hours=2))
    server.follow()
    assert visitor.post("/session/refresh", json={}).status_code == 401


def test_use_moves_the_idle_limit_but_never_the_absolute_one(
    make_server: MakeServer, make_visitor: MakeVisitor, clock: HandClock
) -> None:
    server = make_server(session_idle_timeout="2h", session_lifetime="5h")
    add_account(server, "Alice")
    visitor = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    statuses = []
    for _ in range(6):
        clock.advance(timedelta(hours=1))
        server.follow()
        statuses.append(visitor.post("/session/refresh", json={}).status_code)
    assert statuses == [200, 200, 200, 200, 401, 401]


@SQLITE_ONLY
def test_no_token_outlives_the_absolute_limit_of_its_session(
    make_server: MakeServer, make_visitor: MakeVisitor, clock: HandClock
) -> None:
    server = make_server(session_idle_timeout="2h", session_lifetime="5h")
    add_account(server, "Alice")
    visitor = make_visitor(server)
    service = ResourceService(server, make_visitor(server))
    visitor.sign_in("alice", PASSWORD)
    for _ in range(3):
        clock.advance(timedelta(minutes=99))
        server.follow()
        assert visitor.post("/session/refresh", json={}).status_code == 200
    clock.advance(timedelta(minutes=10))
    assert not service.accepts(visitor.cookie(TOKEN))


@SQLITE_ONLY
def test_the_list_keeps_a_session_until_its_last_token_has_expired_with_skew(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    visitor.post("/logout", json={})
    database = server.capabilities.database
    head = database.read(revocations.head)
    [entry] = database.read(lambda db: revocations.after(db, 0, head.sequence, clock.now()))
    assert entry.expires_at - clock.now() == timedelta(hours=1, seconds=60)
