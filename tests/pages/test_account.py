"""My account: what is shown, what may be ended, and that nobody else's can be."""

from datetime import timedelta

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.resource.refusal import Reason
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.clocks import HandClock
from tests.conftest import PASSWORD, add_account
from tests.visitor import Visitor

TOKEN = "__Host-access_token"
PROGRAM = {"Accept": "application/json"}
PAGE = {"Accept": "text/html"}
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sessions(visitor: Visitor) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = visitor.get("/account", headers=PROGRAM).json()["sessions"]
    return listed


def own_id(visitor: Visitor) -> str:
    return str(next(each["id"] for each in sessions(visitor) if each["current"]))


@SQLITE_ONLY
def test_programs_see_the_account_and_its_sessions_and_no_secret(
    visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("ALICE", PASSWORD, headers={"User-Agent": FIREFOX})
    answer = visitor.get("/account", headers={**PROGRAM, "Accept-Language": "ko"})
    facts = answer.json()
    assert facts["message"] == "Alice 님, 환영합니다"
    assert (facts["sub"], facts["username"], facts["roles"]) == (alice.id, "Alice", ["staff", "user"])
    [session] = facts["sessions"]
    assert session == {
        "id": session["id"],
        "current": True,
        "browser": "Firefox",
        "system": "Windows",
        "address": "203.0.113.7",
        "started_at": clock.now().isoformat(),
        "last_seen_at": clock.now().isoformat(),
    }
    assert str(visitor.cookie("__Host-session")) not in answer.text
    assert "argon2" not in answer.text


@SQLITE_ONLY
def test_whoever_is_not_signed_in_is_sent_to_the_page_or_told_so(visitor: Visitor) -> None:
    assert visitor.get("/account", headers=PAGE).headers["location"] == "/login?return_to=%2Faccount"
    assert visitor.get("/account", headers=PROGRAM).status_code == 401
    assert visitor.get("/account/password", headers=PAGE).headers["location"].startswith("/login?")
    assert visitor.post("/account/sessions/x/end", json={}).status_code == 401


def test_ending_one_of_my_sessions_ends_that_one_and_its_token(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    laptop, phone = make_visitor(server), make_visitor(server)
    service = ResourceService(server, make_visitor(server))
    laptop.sign_in("alice", PASSWORD)
    phone.sign_in("alice", PASSWORD)
    phone_id = own_id(phone)
    answer = laptop.post(f"/account/sessions/{phone_id}/end", json={})
    assert answer.status_code == 200
    assert service.refusal(phone.cookie(TOKEN)) is Reason.SIGNED_OUT
    assert [each["id"] for each in sessions(laptop)] == [own_id(laptop)]
    assert phone.post("/session/refresh", json={}).status_code == 401


@SQLITE_ONLY
def test_the_pages_own_button_ends_a_session(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    laptop, phone = make_visitor(server), make_visitor(server)
    laptop.sign_in("alice", PASSWORD)
    phone.sign_in("alice", PASSWORD)
    answer = laptop.form("/account", f"/account/sessions/{own_id(phone)}/end", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?done=session")
    assert "The session was ended." in laptop.get("/account?done=session", headers=PAGE).text
    assert phone.post("/session/refresh", json={}).status_code == 401


def test_nobody_ends_the_session_of_another_or_learns_that_it_exists(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    add_account(server, "Bob")
    hers, his = make_visitor(server), make_visitor(server)
    hers.sign_in("alice", PASSWORD)
    his.sign_in("bob", PASSWORD)
    target = own_id(hers)
    known = his.post(f"/account/sessions/{target}/end", json={})
    unknown = his.post(f"/account/sessions/{target[::-1]}/end", json={})
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert hers.post("/session/refresh", json={}).status_code == 200


NO_IDS = ["%00", "' OR 1=1--", "%25", "..%2f..", "🦊" * 300, "x" * 5_000, "%F0%28", "1;DROP TABLE session"]


def test_a_session_id_that_is_none_changes_nothing(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    for wrong in NO_IDS:
        answer = visitor.post(f"/account/sessions/{wrong}/end", json={})
        assert answer.status_code in {200, 404}, wrong[:40]
    assert len(sessions(visitor)) == 1


@SQLITE_ONLY
def test_looking_at_the_page_keeps_the_session_alive_with_one_write_a_minute(
    server: Server, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    clock.advance(timedelta(seconds=59))
    assert sessions(visitor)[0]["last_seen_at"] != clock.now().isoformat()
    clock.advance(timedelta(seconds=1))
    sessions(visitor)
    assert sessions(visitor)[0]["last_seen_at"] == clock.now().isoformat()


@SQLITE_ONLY
def test_a_browser_that_lies_about_itself_is_shown_as_unknown(visitor: Visitor, alice: Account) -> None:
    lie = "<script>alert(1)</script>" + "x" * 10_000
    visitor.sign_in("alice", PASSWORD, headers={"User-Agent": lie})
    page = visitor.get("/account", headers=PAGE)
    assert "<script" not in page.text
    assert (sessions(visitor)[0]["browser"], sessions(visitor)[0]["system"]) == (None, None)


@SQLITE_ONLY
def test_a_name_with_markup_in_it_stays_text(server: Server, visitor: Visitor) -> None:
    add_account(server, "O'Neil&<b>".replace("<b>", ""))
    visitor.sign_in("o'neil&", PASSWORD)
    assert "O&#39;Neil&amp;" in visitor.get("/account", headers=PAGE).text
