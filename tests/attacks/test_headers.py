"""The headers of every answer for people (SECURITY X01)."""

from authserver.accounts.store import Account
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.conftest import ISSUER, PASSWORD, MakeServer
from tests.visitor import Visitor

pytestmark = SQLITE_ONLY

PAGE = {"Accept": "text/html"}
EXPECTED = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-site",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
}


def test_every_answer_of_every_page_has_every_header(visitor: Visitor, alice: Account) -> None:
    answers = [
        visitor.get("/login", headers=PAGE),
        visitor.get("/nowhere", headers=PAGE),
        visitor.get("/logout", headers=PAGE),
        visitor.get("/signed-out", headers=PAGE),
        visitor.post("/login", content=b"x", headers={**PAGE, "Content-Type": "text/plain"}),
        visitor.post("/login", data={"username": "a"}, headers={"Origin": "https://evil.example", **PAGE}),
        visitor.form("/login", "/login", {"username": "alice", "password": "wrong"}),
        visitor.form("/login", "/login", {"username": "alice", "password": PASSWORD}),
        visitor.get("/account", headers=PAGE),
        visitor.get("/account/password", headers=PAGE),
        visitor.post("/session/refresh", json={}),
        visitor.post("/logout", json={}),
        visitor.sign_in("alice", "wrong"),
    ]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in EXPECTED} == EXPECTED, answer.url
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "server" not in answer.headers
        assert "x-powered-by" not in answer.headers


def test_no_page_needs_what_its_policy_forbids(visitor: Visitor, alice: Account) -> None:
    pages = [visitor.get("/login", headers=PAGE).text]
    visitor.sign_in("alice", PASSWORD)
    pages += [visitor.get(path, headers=PAGE).text for path in ("/account", "/account/password", "/nowhere")]
    for page in pages:
        assert "<script" not in page
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_a_logo_and_an_app_are_in_the_policy_by_name(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(
        logo_url="https://cdn.example.com/logo.svg", allowed_origins=["https://app.example.com"]
    )
    policy = make_visitor(server).get("/login", headers=PAGE).headers["content-security-policy"]
    assert "img-src 'self' https://cdn.example.com;" in policy
    assert "form-action 'self' https://app.example.com;" in policy


def test_on_loopback_without_tls_no_browser_is_told_to_insist_on_it(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(issuer="http://127.0.0.1:8000", development=True)
    assert "strict-transport-security" not in make_visitor(server).get("/login", headers=PAGE).headers
    assert server.settings.issuer != ISSUER
