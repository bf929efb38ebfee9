"""Signing in when all goes well: by page and by JSON, in two languages, once."""

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.attacks.set_cookie import set_cookies
from tests.conftest import PASSWORD
from tests.visitor import Visitor

PAGE = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("language", "good", "bad"), [("ko", "로그인 성공", "로그인 실패"), ("en", "Signed in", "Sign-in failed")]
)
def test_programs_are_told_in_their_language(
    visitor: Visitor, alice: Account, language: str, good: str, bad: str
) -> None:
    headers = {"Accept-Language": language}
    right = visitor.sign_in("alice", PASSWORD, headers=headers)
    assert (right.status_code, right.headers["content-language"]) == (200, language)
    assert right.json() == {"message": good, "sub": alice.id, "username": "Alice", "expires_in": 3_600}
    wrong = visitor.sign_in("alice", "wrong", headers=headers)
    assert (wrong.status_code, wrong.json()) == (401, {"message": bad, "error": "invalid_credentials"})


def test_a_person_signs_in_by_the_page_and_services_accept_the_cookie(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account
) -> None:
    answer = visitor.form("/login", "/login", {"username": "Alice", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert {"__Host-session", "__Host-access_token", "__Host-device"} == set(set_cookies(answer))
    assert "Alice" in visitor.get("/account", headers=PAGE).text
    service = ResourceService(server, make_visitor(server))
    assert service.accepts(visitor.cookie("__Host-access_token"))


@SQLITE_ONLY
def test_whoever_is_signed_in_is_sent_on_from_the_page(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    answer = visitor.get("/login", params={"return_to": "/account/password"}, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/password")


@SQLITE_ONLY
def test_a_known_device_is_not_made_known_once_more(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    device = visitor.cookie("__Host-device")
    again = visitor.sign_in("alice", PASSWORD)
    assert "__Host-device" not in set_cookies(again)
    assert visitor.cookie("__Host-device") == device


@SQLITE_ONLY
def test_the_page_keeps_the_name_and_never_the_password(visitor: Visitor) -> None:
    answer = visitor.form("/login", "/login", {"username": '"><b>x', "password": "typed and wrong"})
    assert answer.status_code == 401
    assert 'value="&#34;&gt;&lt;b&gt;x"' in answer.text
    assert "typed and wrong" not in answer.text


@SQLITE_ONLY
def test_the_sign_in_page_asks_the_database_nothing_of_a_stranger(server: Server, visitor: Visitor) -> None:
    server.capabilities.database.engine.dispose()
    assert visitor.get("/login", headers=PAGE).status_code == 200
    assert server.capabilities.database.engine.pool.checkedin() == 0  # type: ignore[attr-defined]


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("language", "sentence"),
    [("ko", "이 앱으로는 돌아갈 수 없습니다."), ("en", "This sign-in cannot lead back to that app.")],
)
def test_an_app_that_is_not_allowed_is_said_to_be_no_way_back(
    visitor: Visitor, language: str, sentence: str
) -> None:
    headers = PAGE | {"Accept-Language": language}
    for target, told in (("https://evil.example/x", True), ("/account/password", False), ("", False)):
        page = visitor.get("/login", params={"return_to": target}, headers=headers).text
        assert (sentence in page) is told
        assert "evil" not in page.split("<main")[1].split("</main")[0]
