"""What a reverse proxy is told about a request: who it is, or the answer for the visitor. From memory alone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server, create_app
from authserver.capabilities import Outside
from authserver.database import DatabaseUnavailable
from authserver.pages.verify import IDENTITY, MOST_POLICIES, VerifyEndpoint
from authserver.resource.answer import answer_to
from authserver.resource.refusal import Reason, Refusal
from authserver.revocations.index import RevocationIndex
from authserver.settings import Settings
from authserver.tokens.current import MOST_AUDIENCES, CurrentTokens
from tests.attacks.cable import Cable
from tests.attacks.marks import POSTGRESQL_ONLY, SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.watching import statements
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, MakeServer, add_account
from tests.databases import PostgreSQL
from tests.visitor import Visitor

APP = "https://app.example.com"
TOKEN = "__Host-access_token"
PAGE = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate"}
COOKIE_ON_SIBLINGS = {"cookie_domain": "example.com", "allowed_origins": (APP,)}


def forwarded(method: str = "GET", uri: str = "/orders?page=2", origin: str = APP) -> dict[str, str]:
    """The description of a request that both proxies send."""
    proto, _, host = origin.partition("://")
    return {
        "X-Forwarded-Method": method,
        "X-Forwarded-Proto": proto,
        "X-Forwarded-Host": host,
        "X-Forwarded-Uri": uri,
    }


def ask(
    visitor: Visitor, query: str = "", headers: dict[str, str] | None = None, **request: str
) -> httpx2.Response:
    return visitor.get(
        f"/verify?{query}" if query else "/verify", headers=forwarded(**request) | (headers or {})
    )


def minted(server: Server, **claims: Any) -> dict[str, str]:
    """A token of the server's own, with claims of a test's."""
    now = int(server.capabilities.clock.now().timestamp())
    standard = {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "s",
        "client_id": "c",
        "jti": "j",
        "iat": now,
        "exp": now + 60,
    }
    token = server.tokens.signer().sign("at+jwt", standard | claims)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in("alice", PASSWORD)
    return visitor


@SQLITE_ONLY
def test_a_good_token_passes_and_says_whose_it_is_without_a_body(signed_in: Visitor, alice: Account) -> None:
    answer = ask(signed_in)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-auth-subject"] == alice.id
    assert answer.headers["x-auth-client"] == "first-party"
    assert answer.headers["x-auth-roles"] == "staff user"
    assert answer.headers["x-auth-session"]
    assert "content-length" not in answer.headers
    assert not answer.headers.get_list("set-cookie")


@SQLITE_ONLY
def test_every_identity_header_is_there_even_when_there_is_nothing_to_say(
    server: Server, visitor: Visitor
) -> None:
    """Or a proxy that copies what is there would leave what a visitor sent under its name."""
    answer = ask(visitor, headers=minted(server))
    assert [answer.headers.get(name) for name in IDENTITY] == ["s", "", "c", "", ""]


@SQLITE_ONLY
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
def test_the_proxy_may_ask_by_any_method(server: Server, visitor: Visitor, method: str) -> None:
    headers = forwarded() | minted(server)
    assert visitor.request(method, "/verify", headers=headers).status_code == 204
    assert visitor.request(method, "/verify", headers=forwarded()).status_code == 401


@SQLITE_ONLY
def test_no_answer_is_kept_by_any_cache(signed_in: Visitor) -> None:
    answers = [ask(signed_in), ask(signed_in, "role=admin"), ask(signed_in, "x=1")]
    assert [answer.status_code for answer in answers] == [204, 403, 400]
    assert {(a.headers["cache-control"], a.headers["vary"]) for a in answers} == {("no-store", "*")}


HOSTILE = "a\r\nX-Auth-Roles: admin"


@SQLITE_ONLY
@pytest.mark.parametrize("value", [HOSTILE, "길동", "two words", "100%", "\x00\x7f\u2028", '"<>\\'])
def test_a_claim_can_neither_end_its_header_nor_its_place_in_a_list(
    server: Server, visitor: Visitor, value: str
) -> None:
    answer = ask(visitor, headers=minted(server, sub=value, client_id=value, sid=value, roles=["a", value]))
    assert answer.headers.get_list("x-auth-roles") == [
        " ".join(sorted(("a", value), key=str)).replace(value, answer.headers["x-auth-subject"])
    ]
    for name in ("x-auth-subject", "x-auth-client", "x-auth-session"):
        assert answer.headers[name].isascii()
        assert answer.headers[name].isprintable()
        assert " " not in answer.headers[name]
        assert unquote(answer.headers[name]) == value


@SQLITE_ONLY
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_refusal_is_what_a_resource_service_would_answer(
    server: Server, visitor: Visitor, language: str
) -> None:
    stale = minted(server, exp=int(server.capabilities.clock.now().timestamp()) - 61)
    asked: dict[Reason, tuple[str, dict[str, str]]] = {
        Reason.MISSING: ("", {}),
        Reason.EXPIRED: ("", stale),
        Reason.MALFORMED: ("", {"Authorization": "Bearer x.y.z"}),
        Reason.WRONG_AUDIENCE: ("", minted(server, aud="https://other.example.com")),
        Reason.INSUFFICIENT_SCOPE: ("scope=orders:write", minted(server)),
    }
    for reason, (query, headers) in asked.items():
        answer = ask(visitor, query, headers | {"Accept-Language": language})
        scope = frozenset(["orders:write"] if query else [])
        expected = answer_to(Refusal(reason, scope=scope), realm=ISSUER, accept_language=language)
        assert (answer.status_code, answer.content) == (expected.status, expected.content)
        assert answer.headers["www-authenticate"] == expected.headers["WWW-Authenticate"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in answer.headers, "that would speak for the app's host"


@SQLITE_ONLY
def test_who_signed_out_is_refused_as_soon_as_the_server_knows(
    server: Server, signed_in: Visitor, make_visitor: MakeVisitor
) -> None:
    stolen = {"Authorization": f"Bearer {signed_in.cookie(TOKEN)}"}
    thief = make_visitor(server)
    assert ask(thief, headers=stolen).status_code == 204
    signed_in.post("/logout", json={})
    server.follow()
    answer = ask(thief, headers=stolen)
    assert (answer.status_code, answer.json()["message"]) == (401, "The token was signed out")


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 204),
        ("&", 204),
        ("scope=a&", 204),
        ("&scope=c", 403),
        ("scope=a", 204),
        ("scope=a&scope=b", 204),
        ("scope=a%20b", 204),
        ("scope=a+c", 403),
        ("role=staff", 204),
        ("role=admin&role=staff", 204),
        ("role=admin", 403),
        ("scope=c&role=staff", 403),
        ("scope=a&role=staff&audience=https://orders.example.com", 204),
        ("audience=https://other.example.com", 401),
    ],
)
def test_all_scopes_and_one_role_of_the_policy_are_needed(
    server: Server, visitor: Visitor, query: str, status: int
) -> None:
    token = minted(server, aud=[ISSUER, "https://orders.example.com"], scope="a b", roles=["staff"])
    assert ask(visitor, query, token).status_code == status


@SQLITE_ONLY
@pytest.mark.parametrize(
    "query",
    [
        "scopes=a",
        "scope=",
        "scope=%20",
        "scope",
        "role=",
        "role=a%20b",
        "audience=",
        "audience=a&audience=b",
        "sign_in=",
        "sign_in=yes",
        "sign_in=redirect&sign_in=redirect",
        "allowed_origin=*",
        "allowed_origin=https://app.example.com/",
        "scope=%ff",
        "scope=" + "a" * 5_000,
        "&".join(["scope=a"] * 60),
    ],
)
def test_a_policy_with_a_mistake_in_it_admits_nobody(server: Server, visitor: Visitor, query: str) -> None:
    answer = ask(visitor, query, minted(server, scope="a"))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@SQLITE_ONLY
@pytest.mark.parametrize("name", list(forwarded()))
@pytest.mark.parametrize("value", [None, "", "a b", "é", "x\ty", "GET, POST"])
def test_a_description_that_is_not_plain_admits_nobody(
    server: Server, visitor: Visitor, name: str, value: str | None
) -> None:
    headers = forwarded() | minted(server)
    del headers[name]
    raw = [(key.encode(), text.encode("latin-1")) for key, text in headers.items()]
    raw += [] if value is None else [(name.encode(), value.encode("latin-1"))]
    answer = visitor.get("/verify", headers=raw)
    assert (answer.status_code, name in answer.json()["message"]) == (400, True)


@SQLITE_ONLY
@pytest.mark.parametrize("name", list(forwarded()))
def test_a_description_that_says_a_thing_twice_admits_nobody(
    server: Server, visitor: Visitor, name: str
) -> None:
    headers = forwarded() | minted(server)
    again = [(key.encode(), text.encode()) for key, text in (*headers.items(), (name, headers[name]))]
    assert visitor.get("/verify", headers=again).status_code == 400


UNSAFE = ["POST", "PUT", "DELETE", "get", "CONNECT", "ANYTHING"]


@SQLITE_ONLY
@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize(
    ("evidence", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ISSUER}, 403),
        ({"Origin": "http://app.example.com"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
        ({"Origin": APP}, 204),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "https://shop.example.com"}, 204),
    ],
)
def test_a_cookie_on_an_unsafe_request_needs_a_page_of_the_app_itself(
    signed_in: Visitor, method: str, evidence: dict[str, str], status: int
) -> None:
    answer = ask(signed_in, "allowed_origin=https://shop.example.com", evidence, method=method)
    assert answer.status_code == status
    bearer = {"Authorization": f"Bearer {signed_in.cookie(TOKEN)}"}
    assert ask(signed_in, headers=evidence | bearer, method=method).status_code == 204


@SQLITE_ONLY
@pytest.mark.parametrize(
    "sign", [{"Sec-WebSocket-Key": "x"}, {"Upgrade": "WebSocket"}, {"Sec-WebSocket-Version": "13"}]
)
def test_a_websocket_handshake_of_another_site_is_a_get_that_is_not_safe(
    signed_in: Visitor, sign: dict[str, str]
) -> None:
    assert ask(signed_in, headers={**sign, "Origin": "https://evil.example"}).status_code == 403
    assert ask(signed_in, headers={**sign, "Origin": APP}).status_code == 204


@SQLITE_ONLY
def test_a_page_is_sent_to_get_a_token_and_to_come_back(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    visitor = make_visitor(make_server(**COOKIE_ON_SIBLINGS))
    answer = ask(visitor, "sign_in=redirect", PAGE)
    where = urlsplit(answer.headers["location"])
    assert (answer.status_code, f"{where.scheme}://{where.netloc}{where.path}") == (
        303,
        f"{ISSUER}/login",
    )
    assert parse_qs(where.query) == {"return_to": [f"{APP}/orders?page=2"]}


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("uri", "back"),
    [
        ("/a?b=1&return_to=https://evil.example/#x", f"{APP}/a?b=1&return_to=https://evil.example/#x"),
        ("//evil.example/", f"{APP}//evil.example/"),
        ("/\\evil.example", f"{APP}/"),
        ("/길", f"{APP}/"),
        ("/" + "a" * 3_000, f"{APP}/"),
        ("*", f"{APP}/"),
    ],
)
def test_the_way_back_is_always_on_the_app_itself(
    make_server: MakeServer, make_visitor: MakeVisitor, uri: str, back: str
) -> None:
    visitor = make_visitor(make_server(**COOKIE_ON_SIBLINGS))
    raw = [(name.encode(), value.encode()) for name, value in (forwarded(uri=uri) | PAGE).items()]
    answer = visitor.get("/verify?sign_in=redirect", headers=raw)
    assert parse_qs(urlsplit(answer.headers["location"]).query) == {"return_to": [back]}


NOT_A_PAGE: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"Accept": "application/json"}, {}),
    ({**PAGE, "Sec-Fetch-Mode": "cors"}, {}),
    ({**PAGE, "Authorization": "Bearer x.y.z"}, {}),
    ({**PAGE, "Sec-WebSocket-Key": "x"}, {}),
    (PAGE, {"method": "POST"}),
    (PAGE, {"origin": "https://evil.example"}),
    (PAGE, {"origin": "http://app.example.com"}),
    (PAGE, {"origin": "https://app.example.com:8443"}),
]


@SQLITE_ONLY
@pytest.mark.parametrize(("headers", "request_"), NOT_A_PAGE)
def test_what_is_no_page_of_a_known_app_is_told_401(
    make_server: MakeServer, make_visitor: MakeVisitor, headers: dict[str, str], request_: dict[str, str]
) -> None:
    visitor = make_visitor(make_server(**COOKIE_ON_SIBLINGS))
    answer = ask(visitor, "sign_in=redirect", headers, **request_)
    assert (answer.status_code, "location" in answer.headers) == (401, False)
    assert ask(visitor, headers=PAGE).status_code == 401, "only where the policy says so"


@SQLITE_ONLY
def test_nobody_is_sent_to_sign_in_where_it_would_not_help(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    """Or a browser would go round and round: signed in already, sent back, refused again."""
    server = make_server(**COOKIE_ON_SIBLINGS)
    add_account(server, "Alice")
    visitor = make_visitor(server)
    token = visitor.sign_in("alice", PASSWORD).cookies["__Secure-access_token"]
    cookie = {**PAGE, "Cookie": f"__Secure-access_token={token}"}
    assert ask(visitor, "sign_in=redirect", cookie).status_code == 204
    assert ask(visitor, "sign_in=redirect&role=admin", cookie).status_code == 403
    assert ask(visitor, "sign_in=redirect&audience=https://b.example", cookie).status_code == 401
    beyond_the_cookie = make_visitor(make_server(allowed_origins=(APP,)))
    assert ask(beyond_the_cookie, "sign_in=redirect", PAGE).status_code == 401


@SQLITE_ONLY
def test_an_answer_costs_no_statement_on_the_database(server: Server, signed_in: Visitor) -> None:
    with statements(server.capabilities.database) as seen:
        assert ask(signed_in, "role=staff").status_code == 204
        assert ask(signed_in, "role=admin").status_code == 403
        assert ask(signed_in, headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    assert not seen


@pytest.fixture
def cable(postgresql: PostgreSQL) -> Iterator[Cable]:
    with postgresql.clone() as url, Cable(url) as cable:
        yield cable


@POSTGRESQL_ONLY
def test_while_the_database_is_away_what_was_known_last_goes_on_counting(
    make_server: MakeServer, make_visitor: MakeVisitor, cable: Cable, clock: HandClock
) -> None:
    server = make_server(database_url=cable.url)
    add_account(server, "Alice")
    here, gone = make_visitor(server), make_visitor(server)
    here.sign_in("alice", PASSWORD)
    gone.sign_in("alice", PASSWORD)
    stolen = {"Authorization": f"Bearer {gone.cookie(TOKEN)}"}
    gone.post("/logout", json={})
    server.follow()
    cable.cut()
    clock.advance(timedelta(minutes=30))
    with pytest.raises(DatabaseUnavailable):
        server.follow()
    assert ask(here).status_code == 204
    assert ask(gone, headers=stolen).status_code == 401


@POSTGRESQL_ONLY
def test_a_server_that_never_saw_its_database_lets_nobody_in(
    make_settings: Callable[..., Settings],
    outside: Outside,
    make_visitor: MakeVisitor,
    cable: Cable,
    server: Server,
) -> None:
    token = minted(server)
    cable.cut()
    blind = create_app(make_settings(database_url=cable.url), outside)
    with pytest.raises(DatabaseUnavailable):
        blind.start()
    answer = ask(make_visitor(blind), headers=token)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    blind.runner.close()
    blind.capabilities.database.close()


@SQLITE_ONLY
def test_strangers_who_ask_in_ever_new_ways_fill_no_memory(server: Server, clock: HandClock) -> None:
    tokens = CurrentTokens(server.keyring, RevocationIndex(server.revocations), ISSUER, clock)
    endpoint = VerifyEndpoint(server.settings, tokens)
    with Visitor(endpoint, ISSUER) as stranger:
        for number in range(2 * MOST_POLICIES):
            assert ask(stranger, f"audience=https://{number}.example", minted(server)).status_code == 401
    assert len(endpoint._policies) <= MOST_POLICIES
    assert len(tokens._verifiers) <= MOST_AUDIENCES


def back_to(target: str) -> str:
    return f"/login?return_to={quote(target, safe='')}"


@SQLITE_ONLY
def test_a_session_that_outlives_its_token_gets_a_new_one_on_the_way_back(
    server: Server, signed_in: Visitor, clock: HandClock
) -> None:
    clock.advance(timedelta(hours=2))
    server.follow()
    signed_in.http.cookies.delete(TOKEN)
    assert ask(signed_in).status_code == 401
    answer = signed_in.get(back_to(f"{ISSUER}/account?a=1"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{ISSUER}/account?a=1")
    assert TOKEN in {line.partition("=")[0] for line in answer.headers.get_list("set-cookie")}
    assert ask(signed_in).status_code == 204


@SQLITE_ONLY
def test_whoever_has_no_session_signs_in_on_the_way_back(visitor: Visitor, signed_in: Visitor) -> None:
    signed_in.post("/logout", json={})
    for secret in ("", "__Host-session=unknown"):
        answer = visitor.get(back_to("/account"), headers={"Cookie": secret})
        assert (answer.status_code, 'name="password"' in answer.text) == (200, True)
        assert not [line for line in answer.headers.get_list("set-cookie") if "access_token" in line]


@SQLITE_ONLY
@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_the_way_back_leads_to_no_stranger(visitor: Visitor, signed_in: Visitor, target: str) -> None:
    assert signed_in.get(back_to(target)).headers["location"] == "/account"
