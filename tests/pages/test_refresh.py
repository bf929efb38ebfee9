"""Renewing the token cookie: what it says, what it costs, and who wins when a sign-out comes at the same time."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.opaque import hash_secret
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason
from authserver.sessions import store
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.attacks.set_cookie import set_cookies
from tests.attacks.watching import statements
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD
from tests.visitor import Visitor

SESSION, TOKEN = "__Host-session", "__Host-access_token"


def principal(service: ResourceService, visitor: Visitor) -> Principal:
    verdict = service.verdict(visitor.cookie(TOKEN))
    assert isinstance(verdict, Principal)
    return verdict


def current_account(server: Server, account: Account) -> Account:
    found = server.capabilities.database.read(lambda db: accounts.by_id(db, account.id))
    assert found is not None
    return found


@pytest.fixture
def service(server: Server, make_visitor: MakeVisitor) -> ResourceService:
    return ResourceService(server, make_visitor(server))


def test_a_renewed_token_says_now_and_the_old_moment_of_signing_in(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    first = dict(principal(service, visitor).claims)
    clock.advance(timedelta(minutes=10))
    server.follow()
    answer = visitor.post("/session/refresh", json={})
    assert (answer.status_code, answer.json()["expires_in"]) == (200, 3_600)
    assert set(set_cookies(answer)) == {TOKEN}
    second = dict(principal(service, visitor).claims)
    now = int(clock.now().timestamp())
    assert (second["iat"], second["exp"]) == (now, now + 3_600)
    assert second["auth_time"] == first["auth_time"] == now - 600
    kept = ("iss", "aud", "sub", "client_id", "sid", "amr", "roles", "auth_time")
    assert all(first[name] == second[name] for name in kept)
    assert first["jti"] != second["jti"]
    assert (second["iss"], second["aud"], second["sub"]) == (ISSUER, ISSUER, alice.id)
    assert second.keys() == {*kept, "iat", "exp", "jti"}


def test_a_renewal_costs_one_read_and_one_write(server: Server, visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    with statements(server.capabilities.database) as seen:
        assert visitor.post("/session/refresh", json={}).status_code == 200
    assert [statement.split()[0] for statement in seen] == ["UPDATE", "SELECT"]


def test_a_role_taken_away_is_gone_from_the_old_token_and_from_the_next(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    old = visitor.cookie(TOKEN)
    assert principal(service, visitor).roles == {"staff", "user"}
    parts = server.capabilities
    parts.database.write(
        lambda db: parts.consequences.set_roles(db, current_account(server, alice), ["user"], clock.now())
    )
    assert service.refusal(old) is Reason.SIGNED_OUT
    assert visitor.post("/session/refresh", json={}).status_code == 200
    assert principal(service, visitor).roles == {"user"}
    assert clock.waited <= timedelta(seconds=1)


@SQLITE_ONLY
def test_a_role_given_needs_no_sign_out(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    parts, roles = server.capabilities, ["admin", "staff", "user"]
    parts.database.write(
        lambda db: parts.consequences.set_roles(db, current_account(server, alice), roles, clock.now())
    )
    assert service.accepts(visitor.cookie(TOKEN))
    visitor.post("/session/refresh", json={})
    assert principal(service, visitor).roles == set(roles)
    assert clock.waited == timedelta(0)


WORTHLESS = [None, f"{SESSION}=unknown", f"{SESSION}=", f"{TOKEN}=x"]


@SQLITE_ONLY
def test_a_renewal_that_fails_clears_no_cookie(visitor: Visitor) -> None:
    for cookie in WORTHLESS:
        answer = visitor.post("/session/refresh", json={}, headers={"Cookie": cookie} if cookie else {})
        assert (answer.status_code, answer.json()["error"]) == (401, "not_signed_in"), cookie
        assert not answer.headers.get_list("set-cookie")


@SQLITE_ONLY
def test_a_disabled_account_renews_nothing_and_its_token_is_on_the_list(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.disable(db, alice, clock.now()))
    assert visitor.post("/session/refresh", json={}).status_code == 401
    assert service.refusal(visitor.cookie(TOKEN)) is Reason.SIGNED_OUT
    parts.database.write(
        lambda db: parts.consequences.enable(db, current_account(server, alice), clock.now())
    )
    assert visitor.post("/session/refresh", json={}).status_code == 401, "the session does not come back"


def test_when_the_sign_out_is_first_the_renewal_finds_nothing_to_note(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    """The statement that notes the use is the one that decides: nothing is remembered from a look before."""
    visitor.sign_in("alice", PASSWORD)
    parts, secret = server.capabilities, hash_secret(visitor.cookie(SESSION) or "")
    now, seen_after = clock.now(), parts.lifetime.seen_after(clock.now())

    def renew(db: Connection) -> store.Session | None:
        return store.renew(db, secret, now=now, seen_after=seen_after)

    assert parts.database.write(renew) is not None
    visitor.post("/logout", json={})
    assert parts.database.write(renew) is None


def test_when_the_renewal_is_first_the_sign_out_reaches_its_token_too(
    server: Server, visitor: Visitor, service: ResourceService, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    visitor.post("/session/refresh", json={})
    renewed = visitor.cookie(TOKEN)
    visitor.post("/logout", json={})
    assert service.refusal(renewed) is Reason.SIGNED_OUT


@SQLITE_ONLY
def test_many_tabs_renew_at_once_and_every_one_of_them_gets_a_good_token(
    visitor: Visitor, service: ResourceService, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    answers = visitor.together(*[("POST", "/session/refresh", {"json": {}})] * 10)
    tokens = {set_cookies(answer)[TOKEN].value for answer in answers}
    assert len(tokens) == 10
    assert all(service.accepts(token) for token in tokens)
