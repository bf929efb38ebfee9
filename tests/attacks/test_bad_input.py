"""Requests that no good client sends: each is refused as the client's mistake, none is a 5xx, nothing is changed (§8)."""

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from tests.attacks.bare_request import send
from tests.attacks.marks import SQLITE_ONLY
from tests.conftest import ISSUER, PASSWORD
from tests.visitor import FORM_TOKEN, Visitor

PAGE = {"Accept": "text/html"}
INJECTIONS = [
    "' OR '1'='1",
    "alice'--",
    "'; DROP TABLE account; --",
    '" OR ""="',
    "\\'; SELECT pg_sleep(5)--",
    "%' OR 1=1 /*",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "*)(uid=*))(|(uid=*",
    '{"$gt": ""}',
    "%(name)s %s %d {0} {self}",
    "../../etc/passwd",
    "${jndi:ldap://127.0.0.1/a}",
    "\u2028\u2029\ufeff",
    "🦊" * 60,
]
PAGES = ("/", "/login", "/account", "/account/password", "/signed-out", "/nowhere")


def test_words_of_other_languages_are_only_text(visitor: Visitor, alice: Account) -> None:
    for text in INJECTIONS:
        assert visitor.sign_in(text, PASSWORD).status_code == 401, text
        assert visitor.sign_in("alice", text).status_code == 401, text
        visitor.sign_in("alice", PASSWORD, headers={"User-Agent": text.encode()})
        assert visitor.post("/logout", json={"everywhere": text}).status_code == 400, text
        assert visitor.post("/logout", json={text: text}).status_code == 200, text


@SQLITE_ONLY
def test_words_of_other_languages_in_an_address_are_only_text(visitor: Visitor) -> None:
    for text in INJECTIONS:
        query = {"return_to": text, "ui_locales": text, "done": text, text: text}
        headers = {**PAGE, "Accept-Language": ascii(text)}
        answers = [visitor.get(path, params=query, headers=headers) for path in PAGES]
        assert [answer.status_code for answer in answers if answer.status_code >= 500] == [], text


@SQLITE_ONLY
def test_a_parameter_may_have_any_name(visitor: Visitor) -> None:
    names = ["self", "request", "locale", "name", "status", "context", "kwargs", "url"]
    answers = [visitor.get(path, params={name: "x"}, headers=PAGE) for path in PAGES for name in names]
    assert [str(answer.url) for answer in answers if answer.status_code >= 500] == []


@SQLITE_ONLY
def test_a_query_that_cannot_be_read_is_the_clients_mistake(visitor: Visitor) -> None:
    answer = visitor.get("/signed-out?everywhere=perhaps", headers=PAGE)
    assert answer.status_code in {200, 400}
    assert "text/html" in answer.headers["content-type"]
    for query in (
        "everywhere=1&everywhere=0",
        "everywhere=%ff",
        "%00",
        "&&&&",
        "=",
        "a" * 60_000,
        "a=1&" * 10_000,
    ):
        assert visitor.get(f"/signed-out?{query}", headers=PAGE).status_code < 500


NO_PATHS = [
    "//login",
    "/login/",
    "/LOGIN",
    "/login;x",
    "/login\x00",
    "/./login",
    "/x/../login",
    "/login/..",
    "/login?",
    "/login#",
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/",
    "/.well-known/jwks.json/",
    "/.well-known//jwks.json",
    "",
    "*",
    "/" + "a" * 60_000,
    "//[",
    "//evil.example:port/",
]


@SQLITE_ONLY
def test_a_path_is_the_one_that_is_written_here_or_there_is_none(server: Server) -> None:
    for accept in (b"text/html", b"application/json"):
        found = [(path, send(server, "GET", path, (b"accept", accept)).status) for path in NO_PATHS]
        assert [(path[:60], status) for path, status in found if status != 404] == []


NO_HOSTS = [b"[", b"[::1", b"a:b:c", b"login.example.com:port", b"", b"\xff", b"a b", b"a" * 9_000]


@SQLITE_ONLY
def test_a_host_name_that_is_none_is_no_failure_of_ours(server: Server) -> None:
    accept, json = (b"accept", b"text/html"), (b"content-type", b"application/json")
    for host in NO_HOSTS:
        for path in ("/", "/login", "/nowhere", "/.well-known/jwks.json"):
            assert send(server, "GET", path, (b"host", host), accept).status < 500, host
        assert send(server, "POST", "/login", (b"host", host), json).status < 500, host


NO_HEADERS = [
    (b"content-length", b"\xb2"),
    (b"content-length", b"-1"),
    (b"content-length", b"9" * 5_000),
    (b"content-type", b"application/json; charset=utf-7"),
    (b"content-type", b"\xff\xfe"),
    (b"accept-language", b"\xff" * 5_000),
    (b"accept-language", b"ko;q=" + b"9" * 500),
    (b"accept", b"\x00"),
    (b"cookie", b"=;=;=" * 9_000),
    (b"cookie", b"\xff\xfe\x00"),
    (b"origin", b"\xff"),
    (b"user-agent", b"\xff" * 9_000),
    (b"if-none-match", b"\xff" * 9_000),
]


@SQLITE_ONLY
def test_a_header_that_is_none_is_no_failure_of_ours(server: Server) -> None:
    body = {"type": "http.request", "body": b'{"username":"a","password":"b"}', "more_body": False}
    requests = (("POST", "/login"), ("POST", "/logout"), ("GET", "/login"), ("GET", "/revocations"))
    failed = []
    for header in NO_HEADERS:
        json = [] if header[0] == b"content-type" else [(b"content-type", b"application/json")]
        for method, path in requests:
            if send(server, method, path, header, *json, messages=(body,)).status >= 500:
                failed.append((method, path, header[0], header[1][:20]))
    assert failed == []


def test_a_user_agent_with_a_nul_signs_in_all_the_same(server: Server, alice: Account) -> None:
    body = f'{{"username":"alice","password":"{PASSWORD}"}}'.encode()
    message = {"type": "http.request", "body": body, "more_body": False}
    headers = ((b"content-type", b"application/json"), (b"user-agent", b"x\x00y"))
    assert send(server, "POST", "/login", *headers, messages=(message,)).status in {200, 400}


@SQLITE_ONLY
def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_failure_of_ours(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    part = {"type": "http.request", "body": b'{"user', "more_body": True}
    answer = send(server, "POST", "/login", (b"content-type", b"application/json"), messages=(part,))
    assert answer.status < 500
    assert "Traceback" not in "".join(capfd.readouterr())


UNCLEAR_FORMS = [
    "username=alice&username=bob&password=x",
    "username=alice&password=x&password=y",
    "username=alice&password=%00",
    "username=%ff%fe&password=x",
    "username=alice&password=%ED%A0%80",
    "username=älice&password=x",
    "username",
    "&",
    "&".join(f"field{number}=x" for number in range(51)),
    "&".join(f"f{number}=x" for number in range(1_800)),
]


@SQLITE_ONLY
def test_a_form_that_can_be_read_in_two_ways_is_not_read(visitor: Visitor) -> None:
    found = FORM_TOKEN.search(visitor.get("/login", headers=PAGE).text)
    assert found
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ISSUER, **PAGE}
    for body in UNCLEAR_FORMS:
        content = f"form_token={found[1]}&{body}".encode()
        answer = visitor.post("/login", content=content, headers=headers)
        assert answer.status_code == 400, body
        assert answer.headers["content-type"].startswith("text/html")


@SQLITE_ONLY
def test_ten_thousand_fields_are_too_many_bytes_already(visitor: Visitor) -> None:
    fields = {f"field{number}": "x" for number in range(10_000)}
    assert visitor.post("/login", data=fields, headers={"Origin": ISSUER}).status_code == 413
    assert visitor.post("/login", json=fields).status_code == 413


METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND", "get", ""]


@SQLITE_ONLY
def test_an_unknown_method_is_answered_with_those_that_there_are(server: Server) -> None:
    for method in METHODS:
        for path in ("/logout", "/login", "/session/refresh", "/nowhere"):
            answer = send(server, method, path)
            assert answer.status in {200, 400, 404, 405}, (method, path)
            assert answer.status != 405 or answer.headers["allow"]


@SQLITE_ONLY
def test_an_error_is_a_page_for_people_and_json_for_programs_in_their_language(visitor: Visitor) -> None:
    page = visitor.get("/nowhere", headers={**PAGE, "Accept-Language": "ko"})
    assert (page.status_code, page.headers["content-language"]) == (404, "ko")
    assert '<html lang="ko"' in page.text
    facts = visitor.get("/nowhere", headers={"Accept": "application/json", "Accept-Language": "ko"})
    assert (facts.status_code, facts.json()["error"]) == (404, "not_found")
    assert not facts.json()["message"].isascii()


@SQLITE_ONLY
def test_a_bug_of_ours_says_nothing_of_itself(
    server: Server, visitor: Visitor, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("the secret of line 7")

    monkeypatch.setattr(type(server.tokens), "signer", broken)
    for accept in ("text/html", "application/json"):
        answer = visitor.sign_in("alice", PASSWORD, headers={"Accept": accept})
        assert answer.status_code == 500
        assert "ZeroDivision" not in answer.text
        assert "line 7" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
