"""Where sign-in sends a browser: a list of ways to say "somewhere else" that look like "here" (SECURITY O05)."""

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.web.return_to import safe_return
from tests.attacks.bare_request import send
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.conftest import ISSUER, PASSWORD, MakeServer, add_account
from tests.visitor import Visitor

APP = "https://app.example.com"
ALLOWED = frozenset({ISSUER, APP})
ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "\t//evil.example",
    " //evil.example",
    " https://evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https:\\\\evil.example",
    "https://login.example.com@evil.example",
    "https://login.example.com:x@evil.example/",
    "https://evil.example\\@login.example.com",
    "https://evil.example#@login.example.com/",
    "https://evil.example?https://login.example.com",
    "https://login.example.com.evil.example",
    "https://login.example.com:444/",
    "https://login.example.com%2eevil.example",
    "https://login.example.com。evil.example",
    "https://login。example.com/",
    "https://login.example.com%00.evil.example",
    "https://LOGIN.example.com@evil.example",
    "http://login.example.com/",
    "ftp://login.example.com/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript://login.example.com/%0aalert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://login.example.com/x",
    "evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "https://[::1",
    "https://app.example.com:443@evil.example",
    "https://app.example.com.",
    "/x\0",
    "/é",
    "/" + "a" * 10_240,
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE, ids=lambda target: ascii(target)[:60])
def test_what_is_not_plainly_ours_is_nowhere(target: str) -> None:
    assert safe_return(target, ALLOWED) is None


@pytest.mark.parametrize(
    "target",
    ["/", "/account?done=password", "/a/../b#c", f"{ISSUER}/account", APP, f"{APP}/orders?id=1&x=//evil#f"],
)
def test_our_own_paths_and_allowed_origins_are_where_they_say(target: str) -> None:
    assert safe_return(target, ALLOWED) == target


@SQLITE_ONLY
def test_sign_in_never_leads_elsewhere_by_form_by_link_or_by_an_old_session(
    visitor: Visitor, alice: Account
) -> None:
    page = "/login"
    for target in ELSEWHERE[::4]:
        shown = visitor.get(page, params={"return_to": target}, headers={"Accept": "text/html"})
        assert 'name="return_to"' not in shown.text
    for target in ELSEWHERE[:8]:
        fields = {"username": "alice", "password": PASSWORD, "return_to": target}
        answer = visitor.form(page, "/login", fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        already = visitor.get(page, params={"return_to": target})
        assert (already.status_code, already.headers["location"]) == (303, "/account")
        visitor.http.cookies.clear()


@SQLITE_ONLY
def test_sign_in_leads_back_to_an_allowed_app_and_its_policy_lets_the_form_do_so(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(allowed_origins=[APP])
    add_account(server, "Alice")
    visitor = make_visitor(server)
    fields = {"username": "alice", "password": PASSWORD, "return_to": f"{APP}/orders"}
    answer = visitor.form("/login", "/login", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{APP}/orders")
    assert f"form-action 'self' {APP};" in answer.headers["content-security-policy"]


@SQLITE_ONLY
@pytest.mark.parametrize("path", ["//evil.example/", "///evil.example", "//evil.example/login"])
def test_a_page_that_does_not_exist_has_no_link_to_elsewhere(server: Server, path: str) -> None:
    """The links to this page in other languages are made from its address, which is the sender's to choose."""
    answer = send(server, "GET", path, (b"accept", b"text/html"))
    assert answer.status == 404
    assert b'href="//evil' not in answer.body


@SQLITE_ONLY
@pytest.mark.parametrize(
    "host", [b"evil.example", b"login.example.com.evil.example", b"login.example.com:444"]
)
def test_a_foreign_host_name_is_sent_to_the_issuers_and_appears_nowhere(server: Server, host: bytes) -> None:
    for path in ("/", "/login", "/account"):
        answer = send(server, "GET", path, (b"host", host), query=b"return_to=%2Faccount")
        assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, ISSUER + path)
