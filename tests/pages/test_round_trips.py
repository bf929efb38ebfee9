"""An app that does not see the token, and a sign-in that knows the session: no browser goes round between the two."""

from collections.abc import Callable

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.pages.round_trips import FORGOTTEN_AFTER, MOST_TRIPS
from authserver.protocol.cookies import TOKEN_WITH_DOMAIN, TRIPS
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.set_cookie import set_cookies
from tests.attacks.watching import statements
from tests.conftest import ISSUER, PASSWORD, MakeServer, add_account
from tests.pages.browser_with_a_jar import Jarred
from tests.visitor import Visitor

pytestmark = SQLITE_ONLY

APP = "https://app.example.com"
ORDERS = f"{APP}/orders/7"
SIBLINGS = {"cookie_domain": "example.com", "allowed_origins": (APP,)}
PAGE = {"Accept": "text/html"}

MakeBrowser = Callable[..., Jarred]


@pytest.fixture
def make_browser(make_server: MakeServer, make_visitor: MakeVisitor) -> MakeBrowser:
    """The browser of somebody who is signed in, on a domain that the login service shares with an app."""

    def make(roles: tuple[str, ...] = (), **chosen: object) -> Jarred:
        server = make_server(**{**SIBLINGS, **chosen})
        add_account(server, "Alice", roles=roles)
        browser = Jarred(make_visitor(server))
        browser.sign_in("alice", PASSWORD)
        return browser

    return make


def without_its_token(browser: Jarred) -> Jarred:
    browser.jar.pop((TOKEN_WITH_DOMAIN, ".example.com", "/"))
    return browser


def test_whoever_has_a_session_is_at_the_app_after_one_trip(make_browser: MakeBrowser) -> None:
    browser = without_its_token(make_browser())
    assert browser.open_page(ORDERS).status_code == 204
    assert browser.hops == 2


PLANTED = ["/orders", "/orders/", "/orders/7"]


@pytest.mark.parametrize("path", PLANTED)
@pytest.mark.parametrize("value", ["x.y.z", "<garbage>"])
def test_a_planted_cookie_ends_on_a_page_that_says_so_and_one_click_later_at_the_app(
    make_browser: MakeBrowser, path: str, value: str
) -> None:
    browser = make_browser()
    browser.jar[TOKEN_WITH_DOMAIN, ".example.com", path] = value
    stopped = browser.open_page(ORDERS)
    assert (stopped.status_code, browser.hops) == (200, 1)
    assert "two sign-ins at once" in stopped.text
    assert f'href="{ORDERS}"' in stopped.text
    assert "password" not in stopped.text
    assert browser.open_page(ORDERS).status_code == 204


def test_a_planted_cookie_is_found_when_ours_has_run_out(make_browser: MakeBrowser) -> None:
    browser = without_its_token(make_browser())
    browser.jar[TOKEN_WITH_DOMAIN, ".example.com", "/orders"] = "<garbage>"
    assert "two sign-ins at once" in browser.open_page(ORDERS).text
    assert browser.open_page(ORDERS).status_code == 204


def test_what_only_the_apps_host_could_remove_ends_on_the_page_each_time(make_browser: MakeBrowser) -> None:
    browser = make_browser()
    browser.jar[TOKEN_WITH_DOMAIN, ".app.example.com", "/"] = "x.y.z"
    for _ in range(3):
        stopped = browser.open_page(ORDERS, **{"Accept-Language": "ko"})
        assert "example.com의 쿠키를 삭제하고 다시 로그인해 주세요" in stopped.text


@pytest.mark.parametrize("name", ["app.in.example.com", "app.login.in.example.com"])
def test_a_cookie_of_a_domain_between_is_removed_too(make_browser: MakeBrowser, name: str) -> None:
    near = f"https://{name}"
    browser = make_browser(issuer="https://login.in.example.com", allowed_origins=(near,))
    for domain in (f".{name.removeprefix('app.')}", ".in.example.com", ".example.com"):
        browser.jar[TOKEN_WITH_DOMAIN, domain, "/x"] = "x.y.z"
    browser.jar[TOKEN_WITH_DOMAIN, ".in.example.com", "/"] = "x.y.z"
    assert "two sign-ins" in browser.open_page(f"{near}/x").text
    assert browser.open_page(f"{near}/x").status_code == 204


def test_who_has_no_session_signs_in_and_is_at_the_app(make_browser: MakeBrowser) -> None:
    browser = make_browser()
    browser.jar.clear()
    for path in PLANTED[:2]:
        browser.jar[TOKEN_WITH_DOMAIN, ".example.com", path] = "x.y.z"
    assert 'name="password"' in browser.open_page(ORDERS).text
    browser.sign_in("alice", PASSWORD)
    assert browser.open_page(ORDERS).status_code == 204


def test_removing_leaves_room_in_the_head_and_names_no_path_that_ends_its_attribute(
    make_browser: MakeBrowser,
) -> None:
    browser = make_browser()
    deep = browser.go(f"{ISSUER}/login?twice=true&return_to={APP}/{'a/' * 90}", {})
    assert len(deep.headers.get_list("set-cookie")) < 16
    odd = browser.go(f"{ISSUER}/login?twice=true&return_to={APP}/a;%20Domain=com;Max-Age=9/b", {})
    paths = {line.split("; Path=")[1].split(";")[0] for line in odd.headers.get_list("set-cookie")}
    assert paths <= {"/", "/a", "/a/"}
    assert "Max-Age=9;" not in str(odd.headers)


def test_a_server_whose_cookie_cannot_be_planted_removes_none(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    visitor = make_visitor(make_server(allowed_origins=(APP,)))
    answer = visitor.get(f"/login?twice=true&return_to={ORDERS}", headers=PAGE)
    assert set(set_cookies(answer)) == {"__Host-form"}


def test_a_token_that_no_browser_keeps_ends_on_a_page_that_says_so(make_browser: MakeBrowser) -> None:
    browser = make_browser(roles=tuple(f"role-{number:04}" for number in range(400)))
    assert TOKEN_WITH_DOMAIN not in {name for name, _, _ in browser.jar}
    stopped = browser.open_page(ORDERS)
    assert (stopped.status_code, browser.hops) == (200, 1)
    assert "more roles than a browser can keep" in stopped.text
    assert f'href="{ORDERS}"' not in stopped.text, "it would lead back here"


def test_a_token_of_the_greatest_length_that_browsers_keep_passes(make_browser: MakeBrowser) -> None:
    """The page must not come where it is not needed."""
    browser = make_browser(roles=tuple(f"role-{number:04}" for number in range(170)))
    (held,) = [value for (name, _, _), value in browser.jar.items() if name == TOKEN_WITH_DOMAIN]
    assert 3_000 < len(held) < 4_096
    assert without_its_token(browser).open_page(ORDERS).status_code == 204


def test_who_comes_by_a_link_of_another_site_to_a_strict_cookie_is_asked_to_click(
    make_browser: MakeBrowser,
) -> None:
    """Sent on at once, the browser would still be on its way from that site, and keep the cookie to itself."""
    browser = without_its_token(make_browser(cookie_samesite="strict"))
    stopped = browser.open_page(ORDERS, **{"Sec-Fetch-Site": "cross-site"})
    assert (stopped.status_code, f'href="{ORDERS}"' in stopped.text) == (200, True)
    assert "http-equiv" not in stopped.text, "or the setting would be worth nothing"
    assert browser.open_page(ORDERS, **{"Sec-Fetch-Site": "same-site"}).status_code == 204


def test_a_lax_cookie_needs_no_click(make_browser: MakeBrowser) -> None:
    browser = without_its_token(make_browser())
    assert browser.open_page(ORDERS, **{"Sec-Fetch-Site": "cross-site"}).status_code == 204


def test_a_browser_that_does_not_keep_the_token_goes_round_three_times_and_no_more(
    make_browser: MakeBrowser,
) -> None:
    browser = without_its_token(make_browser())
    browser.keeps = lambda name: name != TOKEN_WITH_DOMAIN
    stopped = browser.open_page(ORDERS)
    assert browser.hops == MOST_TRIPS + 1
    assert "again and again" in stopped.text
    assert "again and again" in browser.open_page(ORDERS).text
    assert browser.hops == 1, "remembered for a while"
    assert set_cookies(stopped)[TRIPS].max_age == FORGOTTEN_AFTER.total_seconds()


def test_who_comes_back_with_many_tabs_is_sent_on_in_each(make_browser: MakeBrowser) -> None:
    browser = make_browser()
    for number in range(3 * MOST_TRIPS):
        assert without_its_token(browser).open_page(f"{APP}/orders/{number}").status_code == 204


def test_our_own_pages_are_no_trip(make_browser: MakeBrowser) -> None:
    browser = make_browser()
    for _ in range(2 * MOST_TRIPS):
        answer = browser.go(f"{ISSUER}/login?return_to=/account", {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert TRIPS not in {name for name, _, _ in browser.jar}


DESTINATIONS = ["image", "script", "style", "iframe", "object", "embed", "empty", "serviceworker", ""]


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_what_is_no_page_renews_nothing(
    server: Server, visitor: Visitor, alice: Account, destination: str
) -> None:
    """A picture on a page of a sibling comes with the session, and would write to the database each time."""
    visitor.sign_in("alice", PASSWORD)
    with statements(server.capabilities.database) as seen:
        answer = visitor.get("/login", headers={"Sec-Fetch-Dest": destination})
    assert (answer.status_code, seen) == (200, [])
    assert not [line for line in answer.headers.get_list("set-cookie") if "access_token" in line]


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Dest": "document"}])
def test_a_page_renews(visitor: Visitor, alice: Account, headers: dict[str, str]) -> None:
    visitor.sign_in("alice", PASSWORD)
    assert "__Host-access_token" in set_cookies(visitor.get("/login", headers=headers))
