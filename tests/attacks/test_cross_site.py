"""Requests that another site makes a browser send: sign-in, sign-out, and everything a cookie authenticates (O31, X02)."""

from typing import Any

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.conftest import ISSUER, PASSWORD, MakeServer, add_account
from tests.visitor import FORM_TOKEN, Visitor

APP, EVIL = "https://app.example.com", "https://evil.example"
GOOD = {"username": "alice", "password": PASSWORD}
FOREIGN = (
    {"Origin": EVIL},
    {"Origin": "null"},
    {"Origin": "http://login.example.com"},
    {"Origin": "https://login.example.com.evil.example"},
    {"Origin": "https://login.example.com:444"},
    {"Origin": "https://sub.login.example.com"},
    {"Origin": ""},
    {"Origin": "https://login.example.com, https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": EVIL},
)

pytestmark = SQLITE_ONLY


def form_token(visitor: Visitor, page: str = "/login") -> str:
    found = FORM_TOKEN.search(visitor.get(page, headers={"Accept": "text/html"}).text)
    assert found
    return found[1]


def refused(answer: httpx2.Response) -> bool:
    return answer.status_code == 403 and not answer.headers.get_list("set-cookie")


def sessions(server: Server) -> int:
    count = server.capabilities.database.read(lambda db: db.exec_driver_sql("SELECT count(*) FROM session"))
    return int(count.scalar_one())


def test_json_from_another_origin_signs_nobody_in(server: Server, visitor: Visitor, alice: Account) -> None:
    for headers in FOREIGN:
        assert refused(visitor.sign_in("alice", PASSWORD, headers=headers)), headers
    assert sessions(server) == 0


def test_a_form_from_another_origin_signs_nobody_in_though_its_token_is_right(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    data = {"form_token": form_token(visitor), **GOOD}
    for headers in FOREIGN:
        assert refused(visitor.post("/login", data=data, headers=headers)), headers
    assert refused(visitor.post("/login", data=data)), "a form of a browser that says nothing of its origin"
    assert sessions(server) == 0


def test_a_form_needs_the_token_that_this_very_browser_was_given(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, alice: Account
) -> None:
    own, strangers = form_token(visitor), form_token(make_visitor(server))
    for token in (None, "", strangers, own[:-1], own + "A", own.swapcase(), "\u00e9", "x" * 4_000):
        data = {**GOOD, **({} if token is None else {"form_token": token})}
        assert refused(visitor.post("/login", data=data, headers={"Origin": ISSUER})), token
    visitor.http.cookies.clear()
    assert refused(visitor.post("/login", data={"form_token": own, **GOOD}, headers={"Origin": ISSUER}))
    assert sessions(server) == 0


def test_the_browsers_own_form_signs_in_and_its_token_is_none_for_the_session(
    visitor: Visitor, alice: Account
) -> None:
    before = form_token(visitor)
    assert visitor.form("/login", "/login", dict(GOOD)).status_code == 303
    answer = visitor.post("/logout", data={"form_token": before}, headers={"Origin": ISSUER})
    assert refused(answer)


def test_no_other_content_type_carries_a_sign_in(server: Server, visitor: Visitor, alice: Account) -> None:
    body = b'{"username":"alice","password":"mandolin velocity crumpet oxide"}'
    for kind in (
        "text/plain",
        "multipart/form-data",
        "application/x-json",
        "text/json",
        "",
        "application/xml",
    ):
        answer = visitor.post("/login", content=body, headers={"Content-Type": kind, "Origin": ISSUER})
        assert answer.status_code == 415, kind
    assert sessions(server) == 0


def test_a_get_never_changes_anything(server: Server, visitor: Visitor, alice: Account) -> None:
    visitor.get("/login", params=GOOD)
    assert sessions(server) == 0
    visitor.sign_in("alice", PASSWORD)
    for path in ("/logout", "/session/refresh", "/account/sessions/x/end"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert visitor.post("/session/refresh", json={}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/logout", {}),
        ("/logout", {"everywhere": True}),
        ("/session/refresh", {}),
        ("/account/sessions/x/end", {}),
        ("/account/password", {"current_password": PASSWORD, "new_password": "quartz lantern otter brisk"}),
    ],
    ids=str,
)
def test_another_site_can_do_nothing_with_a_persons_cookies(
    visitor: Visitor, alice: Account, path: str, body: dict[str, Any]
) -> None:
    visitor.sign_in("alice", PASSWORD)
    for headers in FOREIGN:
        assert refused(visitor.post(path, json=body, headers=headers)), headers
    assert visitor.post(path, headers={"Origin": ISSUER}).status_code in {403, 415}  # no body, no form token
    data = {**{key: str(value) for key, value in body.items()}, "form_token": "guessed"}
    assert refused(visitor.post(path, data=data, headers={"Origin": ISSUER}))
    assert visitor.post("/session/refresh", json={}).status_code == 200
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


def test_an_allowed_origin_may_use_json_but_not_our_forms(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(allowed_origins=[APP])
    add_account(server, "Alice")
    visitor = make_visitor(server)
    data = {"form_token": form_token(visitor), **GOOD}
    assert refused(visitor.post("/login", data=data, headers={"Origin": APP}))
    assert visitor.sign_in("alice", PASSWORD, headers={"Origin": APP}).status_code == 200


def test_a_page_of_an_allowed_origin_may_read_what_it_may_send(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    """Its browser asks first (CORS), and without these answers the setting allows nothing at all."""
    server = make_server(allowed_origins=[APP])
    add_account(server, "Alice")
    visitor = make_visitor(server)
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = visitor.request("OPTIONS", "/login", headers=asked)
    assert preflight.is_success
    answer = visitor.sign_in("alice", PASSWORD, headers={"Origin": APP})
    for each in (preflight, answer):
        assert each.headers["access-control-allow-origin"] == APP
        assert each.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in each.headers["vary"]


def test_no_answer_that_cookies_authenticate_is_readable_by_a_foreign_origin(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(allowed_origins=[APP])
    add_account(server, "Alice")
    visitor = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    for origin in (EVIL, "null", APP + ".evil.example", "http://app.example.com"):
        for method, path in (("GET", "/account"), ("OPTIONS", "/account"), ("OPTIONS", "/login")):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = visitor.request(method, path, headers=headers)
            assert "access-control-allow-origin" not in answer.headers


def test_public_documents_are_for_everyone_and_never_with_credentials(visitor: Visitor) -> None:
    for path in (
        "/.well-known/jwks.json",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/revocations",
    ):
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = visitor.request(method, path, headers={"Origin": EVIL})
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers
            assert not answer.headers.get_list("set-cookie")
