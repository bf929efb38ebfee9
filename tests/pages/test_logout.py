"""Signing out: here, everywhere, twice, by half the cookies, by none; and when it could not be written down."""

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.resource.refusal import Reason
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.attacks.sabotage import failing_commits
from tests.attacks.set_cookie import set_cookies
from tests.clocks import HandClock
from tests.conftest import PASSWORD, add_account
from tests.visitor import Visitor

SESSION, TOKEN = "__Host-session", "__Host-access_token"


def lives(visitor: Visitor) -> bool:
    return visitor.post("/session/refresh", json={}).status_code == 200


def audited(server: Server) -> list[str]:
    rows = server.capabilities.database.read(
        lambda db: db.exec_driver_sql("SELECT event FROM audit_entry ORDER BY sequence").all()
    )
    return [row.event for row in rows]


def test_here_ends_this_session_and_no_other(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    laptop, phone = make_visitor(server), make_visitor(server)
    service = ResourceService(server, make_visitor(server))
    laptop.sign_in("alice", PASSWORD)
    phone.sign_in("alice", PASSWORD)
    laptop_token, phone_token = laptop.cookie(TOKEN), phone.cookie(TOKEN)
    answer = laptop.post("/logout", json={}, headers={"Accept-Language": "ko"})
    assert (answer.status_code, answer.json()) == (200, {"message": "로그아웃되었습니다"})
    assert service.refusal(laptop_token) is Reason.SIGNED_OUT
    assert service.accepts(phone_token)
    assert (lives(laptop), lives(phone)) == (False, True)


def test_everywhere_ends_every_session_and_every_token_of_this_account_alone(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    add_account(server, "Bob")
    laptop, phone, bobs = make_visitor(server), make_visitor(server), make_visitor(server)
    service = ResourceService(server, make_visitor(server))
    for visitor, name in ((laptop, "alice"), (phone, "alice"), (bobs, "bob")):
        visitor.sign_in(name, PASSWORD)
    tokens = [laptop.cookie(TOKEN), phone.cookie(TOKEN)]
    assert laptop.post("/logout", json={"everywhere": True}).status_code == 200
    assert [service.refusal(token) for token in tokens] == [Reason.SIGNED_OUT] * 2
    assert service.accepts(bobs.cookie(TOKEN))
    assert (lives(laptop), lives(phone), lives(bobs)) == (False, False, True)


def test_signing_in_within_the_second_of_a_sign_out_everywhere_gives_a_token_that_is_good(
    server: Server, make_visitor: MakeVisitor, alice: Account, clock: HandClock
) -> None:
    visitor = make_visitor(server)
    service = ResourceService(server, make_visitor(server))
    visitor.sign_in("alice", PASSWORD)
    old = visitor.cookie(TOKEN)
    clock.advance(0.25)
    visitor.post("/logout", json={"everywhere": True})
    clock.advance(0.25)
    assert visitor.sign_in("alice", PASSWORD).status_code == 200
    assert clock.waited.total_seconds() == 0.5
    assert service.accepts(visitor.cookie(TOKEN))
    assert service.refusal(old) is Reason.SIGNED_OUT


def test_signing_out_twice_is_no_error_and_is_written_down_once(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    session = visitor.cookie(SESSION)
    header = {"Cookie": f"{SESSION}={session}"}
    assert [visitor.post("/logout", json={}, headers=header).status_code for _ in range(3)] == [200] * 3
    server.follow()
    known = server.revocations.known
    assert known is not None
    assert len(known.entries) == 1
    assert audited(server).count("session.signed_out") == 1


@SQLITE_ONLY
def test_the_token_cookie_alone_signs_out_its_session(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    stranger = make_visitor(server)
    header = {"Cookie": f"{TOKEN}={visitor.cookie(TOKEN)}"}
    assert stranger.post("/logout", json={}, headers=header).status_code == 200
    assert not lives(visitor)


@SQLITE_ONLY
def test_a_forged_token_cookie_signs_nobody_out(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    true = visitor.cookie(TOKEN) or ""
    header, payload, signature = true.split(".")
    stranger = make_visitor(server)
    for forged in (f"{header}.{payload}.", f"{header}.{payload}.{signature[::-1]}", "x", "..", "a.b.c"):
        cookie = {"Cookie": f"{TOKEN}={forged}"}
        assert stranger.post("/logout", json={"everywhere": True}, headers=cookie).status_code == 200
    assert lives(visitor)


@SQLITE_ONLY
@pytest.mark.parametrize("everywhere", [False, True])
def test_a_token_that_was_signed_out_itself_signs_nobody_else_out(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account, everywhere: bool
) -> None:
    """A thief's copy must be worth nothing after the owner signed out, not even to sign the owner out again."""
    visitor.sign_in("alice", PASSWORD)
    stolen = visitor.cookie(TOKEN)
    visitor.post("/logout", json={})
    visitor.sign_in("alice", PASSWORD)
    thief = make_visitor(server)
    thief.post("/logout", json={"everywhere": everywhere}, headers={"Cookie": f"{TOKEN}={stolen}"})
    assert lives(visitor)


@SQLITE_ONLY
def test_a_form_leads_to_a_page_that_says_so(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    answer = visitor.form("/account", "/logout", {"everywhere": "true"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/signed-out?everywhere=true")
    assert set(set_cookies(answer)) == {SESSION, TOKEN}
    page = visitor.get(answer.headers["location"], headers={"Accept": "text/html", "Accept-Language": "ko"})
    assert page.status_code == 200
    assert page.headers["content-language"] == "ko"


@SQLITE_ONLY
def test_without_any_cookie_signing_out_is_still_no_error(visitor: Visitor) -> None:
    assert visitor.post("/logout", json={}).status_code == 200


NOT_A_FLAG = ["yes", 1, 0, None, [], {"a": 1}, "TRUE"]


@SQLITE_ONLY
def test_everywhere_is_yes_or_no_and_nothing_that_must_be_guessed(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    for value in NOT_A_FLAG:
        answer = visitor.post("/logout", json={"everywhere": value})
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), value
    assert lives(visitor)


@pytest.mark.parametrize("everywhere", [False, True])
def test_nobody_is_told_of_a_sign_out_that_did_not_last(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account, everywhere: bool
) -> None:
    service = ResourceService(server, make_visitor(server))
    visitor.sign_in("alice", PASSWORD)
    token = visitor.cookie(TOKEN)
    with failing_commits(server.capabilities.database):
        answer = visitor.post("/logout", json={"everywhere": everywhere})
        assert answer.status_code >= 500
        assert not answer.headers.get_list("set-cookie")
        assert "clear-site-data" not in answer.headers
    assert service.accepts(token)
    assert lives(visitor)
    assert visitor.post("/logout", json={}).status_code == 200
    assert not service.accepts(token)


def test_a_sign_in_that_could_not_be_written_down_sets_no_cookie(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    with failing_commits(server.capabilities.database):
        answer = visitor.sign_in("alice", PASSWORD)
        assert answer.status_code >= 500
        assert not answer.headers.get_list("set-cookie")
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


def test_an_address_longer_than_any_does_not_keep_a_person_signed_in(
    make_visitor: MakeVisitor, server: Server, alice: Account
) -> None:
    visitor = make_visitor(server, address="fe80::1%" + "x" * 300)
    visitor.sign_in("alice", PASSWORD)
    visitor.post("/logout", json={})
    assert not lives(visitor)
