"""Cookies as an attacker handles them: chosen, changed, swapped, replayed, kept past their time (SECURITY §4.3)."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.settings import Settings, SettingsError
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.set_cookie import SetCookie, set_cookies
from tests.conftest import PASSWORD, MakeServer, add_account
from tests.visitor import Visitor

SESSION, TOKEN = "__Host-session", "__Host-access_token"
FORM, DEVICE = "__Host-form", "__Host-device"
LAX = {"secure": "", "httponly": "", "path": "/", "samesite": "lax"}


def with_cookies(visitor: Visitor, header: str) -> Any:
    """Ask who this is, with a Cookie header of the attacker's own making."""
    visitor.http.cookies.clear()
    return visitor.post("/session/refresh", json={}, headers={"Cookie": header})


def listed(server: Server) -> list[tuple[str, str]]:
    server.follow()
    known = server.revocations.known
    assert known is not None
    return [(entry.kind.value, entry.value) for entry in known.entries]


def session_id(visitor: Visitor) -> str:
    sessions = visitor.get("/account", headers={"Accept": "application/json"}).json()["sessions"]
    return str(next(each["id"] for each in sessions if each["current"]))


def test_each_sign_in_makes_a_new_secret_and_the_old_one_is_dead_while_the_session_goes_on(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    old_cookie, old_id = visitor.cookie(SESSION), session_id(visitor)
    visitor.sign_in("alice", PASSWORD)
    assert visitor.cookie(SESSION) != old_cookie
    assert session_id(visitor) == old_id
    assert listed(server) == []
    assert with_cookies(visitor, f"{SESSION}={old_cookie}").status_code == 401


def test_a_failed_sign_in_leaves_the_session_of_this_browser_alone(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    assert visitor.sign_in("alice", "not the password at all").status_code == 401
    assert visitor.post("/session/refresh", json={}).status_code == 200
    assert listed(server) == []


@SQLITE_ONLY
def test_signing_in_as_another_ends_the_first_persons_session_in_this_browser(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    add_account(server, "Bob")
    visitor.sign_in("alice", PASSWORD)
    first = session_id(visitor)
    visitor.sign_in("bob", PASSWORD)
    assert listed(server) == [("sid", first)]


@SQLITE_ONLY
def test_cookies_that_a_stranger_chose_before_sign_in_are_ignored(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    chosen = dict.fromkeys((SESSION, TOKEN, DEVICE), "chosen-by-a-stranger")
    for name, value in chosen.items():
        visitor.http.cookies.set(name, value, domain="login.example.com", path="/")
    answer = visitor.sign_in("alice", PASSWORD)
    assert answer.status_code == 200
    fresh = set_cookies(answer)
    assert fresh.keys() == {SESSION, TOKEN, DEVICE}
    assert not {cookie.value for cookie in fresh.values()} & set(chosen.values())
    assert with_cookies(visitor, f"{SESSION}={chosen[SESSION]}").status_code == 401


LOOK_ALIKES = [
    "__host-session={0}",
    "__HOST-SESSION={0}",
    "=__Host-session={0}",
    "__Host-session =%s; a={0}",
    '__Host-session="{0}"',
    "__Host-session={0}; __Host-session={0}",
    "__Host-session={0}x",
    "__Host-session= {0}",
    "\t__Host-session={0}",
    "__Host-session={0}, __Host-session={0}",
    "__Host%2Dsession={0}",
    "__Secure-session={0}",
    "session={0}",
    "__Host-access_token={0}",
]


@SQLITE_ONLY
def test_a_cookie_that_only_looks_like_ours_is_none(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    true = visitor.cookie(SESSION)
    taken = [
        header for header in LOOK_ALIKES if with_cookies(visitor, header.format(true)).status_code != 401
    ]
    assert taken == []
    assert with_cookies(visitor, f"{SESSION}={true}").status_code == 200


@SQLITE_ONLY
def test_the_true_cookie_between_strangers_is_still_found(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    header = f'theme="a;b"; {SESSION}={visitor.cookie(SESSION)}; =nameless; __host-session=spoof'
    assert with_cookies(visitor, header).status_code == 200


@SQLITE_ONLY
def test_a_changed_session_cookie_opens_nothing(visitor: Visitor, alice: Account) -> None:
    visitor.sign_in("alice", PASSWORD)
    true = visitor.cookie(SESSION) or ""
    flipped = [true[:at] + ("A" if true[at] != "A" else "B") + true[at + 1 :] for at in (0, 20, 42)]
    for wrong in [*flipped, true[:-1], true[1:], true + "A", true.swapcase(), true[::-1], "A" * 9_000]:
        assert with_cookies(visitor, f"{SESSION}={wrong}").status_code == 401
    assert with_cookies(visitor, f"{SESSION}={true}").status_code == 200


@SQLITE_ONLY
def test_cookies_of_two_people_mixed_up_show_the_sessions_owner_alone(
    server: Server, make_visitor: MakeVisitor, alice: Account
) -> None:
    bob = add_account(server, "Bob")
    hers, his = make_visitor(server), make_visitor(server)
    hers.sign_in("alice", PASSWORD)
    his.sign_in("bob", PASSWORD)
    mixed = f"{SESSION}={his.cookie(SESSION)}; {TOKEN}={hers.cookie(TOKEN)}"
    answer = his.get("/account", headers={"Cookie": mixed, "Accept": "application/json"})
    assert answer.json()["sub"] == bob.id


def attributes_of(answer: Any) -> dict[str, dict[str, str]]:
    return {name: cookie.shape for name, cookie in set_cookies(answer).items()}


@SQLITE_ONLY
def test_every_cookie_of_every_path_has_every_attribute(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    visitor.http.headers["Accept"] = "text/html"
    pages = [
        visitor.get("/login"),
        visitor.post("/login", json={"username": "alice", "password": "wrong"}),
        visitor.post("/login", data={"username": "x"}, headers={"Origin": "https://evil.example"}),
        visitor.get("/nowhere"),
        visitor.sign_in("alice", PASSWORD),
        visitor.get("/account"),
        visitor.post("/session/refresh", json={}),
        visitor.post("/logout", json={}),
        visitor.post("/logout", json={}),
        visitor.form("/login", "/login", {"username": "alice", "password": PASSWORD}),
    ]
    seen: set[str] = set()
    for answer in pages:
        for name, shape in attributes_of(answer).items():
            assert shape == LAX
            seen.add(name)
    assert seen == {SESSION, TOKEN, FORM, DEVICE}


@SQLITE_ONLY
@pytest.mark.parametrize("samesite", ["lax", "strict", "none"])
def test_the_token_cookies_samesite_is_the_settings_and_the_session_stays_lax(
    make_server: MakeServer, make_visitor: MakeVisitor, samesite: str
) -> None:
    server = make_server(cookie_samesite=samesite)
    add_account(server, "Alice")
    cookies = set_cookies(make_visitor(server).sign_in("alice", PASSWORD))
    assert cookies[TOKEN].shape == {**LAX, "samesite": samesite}
    assert cookies[SESSION].shape == LAX


@SQLITE_ONLY
def test_a_deletion_mirrors_the_attributes_or_the_browser_keeps_the_cookie(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(cookie_domain="example.com", cookie_samesite="none")
    add_account(server, "Alice")
    visitor = make_visitor(server)
    made = set_cookies(visitor.sign_in("alice", PASSWORD))
    gone = set_cookies(visitor.post("/logout", json={}))
    assert gone.keys() == {SESSION, "__Secure-access_token"}
    for name, cookie in gone.items():
        assert (cookie.value, cookie.max_age) == ("", 0)
        assert cookie.shape == made[name].shape


@SQLITE_ONLY
def test_a_parent_domain_renames_the_token_cookie_and_touches_no_other(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server(cookie_domain="example.com")
    add_account(server, "Alice")
    cookies = set_cookies(make_visitor(server).sign_in("alice", PASSWORD))
    assert cookies["__Secure-access_token"].shape == {**LAX, "domain": "example.com"}
    assert {name for name, each in cookies.items() if "domain" in each.attributes} == {
        "__Secure-access_token"
    }
    assert TOKEN not in cookies


@SQLITE_ONLY
def test_cookies_live_as_long_as_what_they_hold(visitor: Visitor, alice: Account) -> None:
    cookies: dict[str, SetCookie] = set_cookies(visitor.sign_in("alice", PASSWORD))
    lifetimes = {name: cookies[name].max_age for name in (SESSION, TOKEN, DEVICE)}
    assert lifetimes == {SESSION: 30 * 86_400, TOKEN: 3_600, DEVICE: 180 * 86_400}


IMPOSSIBLE: list[dict[str, Any]] = [
    {"cookie_domain": "example.org"},
    {"cookie_domain": "com"},
    {"cookie_domain": ".example.com"},
    {"cookie_domain": "in.example.com"},
    {"cookie_domain": "ample.com"},
    {"cookie_domain": "example.com; SameSite=None"},
    {"cookie_samesite": "None; Domain=com"},
    {"issuer": "http://login.example.com"},
    {"issuer": "http://127.0.0.1:8000"},
    {"issuer": "https://login.example.com/"},
    {"session_idle_timeout": "31d"},
    {"session_idle_timeout": "30m"},
    {"allowed_origins": ["null"]},
    {"allowed_origins": ["https://*.example.com/path"]},
]


@SQLITE_ONLY
def test_settings_that_no_browser_could_obey_are_refused_at_start(
    make_settings: Callable[..., Settings],
) -> None:
    for chosen in IMPOSSIBLE:
        with pytest.raises(SettingsError) as refused:
            make_settings(**chosen)
        assert any(next(iter(chosen)) in problem for problem in refused.value.problems), chosen
