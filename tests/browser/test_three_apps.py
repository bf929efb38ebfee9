"""Three apps of strangers, one sign-in: an API, a Flask site and a page, in a real browser.

"Refused" is measured where the attacker stands: in a second browser that holds a copy of the token cookie, from the
moment that the button "sign out" is clicked until each app has said no.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pytest
from playwright.sync_api import Page

from authserver.protocol import cookies
from tests.browser.conftest import OpenWindow
from tests.browser.fit import SMALL_PHONE, fits
from tests.browser.window import Window

pytestmark = pytest.mark.browser

AT_ONCE: Final = 1.0  # seconds
ASKING_AGAIN: Final = """path => { window.refused = (async () => {
    while ((await fetch(path, {cache: "no-store"})).status != 401) await new Promise(wake => setTimeout(wake, 25));
    return Date.now() / 1000; })(); }"""
WHEN_CLICKED: Final = """() => addEventListener("click", () => { window.clicked = Date.now() / 1000; },
    {capture: true, once: true})"""
COMING_BACK: Final = """() => { window.refused = (async () => {
    while (document.querySelector("#sign-in").checkVisibility() == false) {
        document.dispatchEvent(new Event("visibilitychange"));
        await new Promise(wake => setTimeout(wake, 50)); }
    return Date.now() / 1000; })(); }"""


@dataclass(frozen=True, slots=True)
class Apps:
    """The three apps in tabs of one browser."""

    window: Window
    api: Page
    flask_site: Page
    page: Page

    @classmethod
    def open(cls, window: Window) -> "Apps":
        tabs = [window.page.context.new_page() for _ in range(3)]
        apps = cls(window, *tabs)
        apps.api.goto(f"{window.site.orders_api}/openapi.json")
        apps.flask_site.goto(f"{window.site.flask_site}/protected")
        open_page(apps.page, window)
        return apps

    def accounts(self) -> set[str]:
        """Who each of them says that we are."""
        said = self.api.evaluate("fetch('/api/me').then(answer => answer.json())")
        self.flask_site.goto(f"{self.window.site.flask_site}/")
        return {said["sub"], self.flask_site.locator("code").inner_text(), self.page.inner_text("#sub")}

    def seconds_until_all_refuse(self, elsewhere: Page, button: str) -> dict[str, float]:
        """Keep asking each app, in its own tab, while somebody presses a button elsewhere."""
        self.api.evaluate(ASKING_AGAIN, "/api/me")
        self.flask_site.evaluate(ASKING_AGAIN, "/protected")
        self.page.evaluate(COMING_BACK)
        elsewhere.evaluate(WHEN_CLICKED)
        elsewhere.click(button)
        clicked = elsewhere.evaluate("window.clicked")
        tabs = {"orders API": self.api, "Flask site": self.flask_site, "page": self.page}
        return {name: tab.evaluate("window.refused") - clicked for name, tab in tabs.items()}


def open_page(tab: Page, window: Window) -> None:
    tab.goto(f"{window.site.page}/")
    tab.wait_for_selector("#signed-in:visible, #signed-out:visible")


def sign_in_at_the_page(window: Window) -> None:
    open_page(window.page, window)
    window.page.click("#sign-in")
    window.page.wait_for_url(f"{window.site.origin}/login?**")
    window.fill_in()
    window.page.wait_for_url(f"{window.site.page}/")
    window.page.wait_for_selector("#signed-in:visible")


def copied(window: Window, thief: Window) -> Apps:
    """The token cookie in another browser, which opens the apps with it."""
    copy = window.cookies()[cookies.TOKEN_HOST_ONLY]
    thief.page.context.add_cookies(
        [
            {
                "name": copy["name"],
                "value": copy["value"],
                "domain": copy["domain"],
                "path": "/",
                "secure": True,
            }
        ]
    )
    return Apps.open(thief)


def test_one_sign_in_is_known_to_three_apps_and_so_is_one_sign_out(open_window: OpenWindow) -> None:
    window, thief = (
        open_window(),
        open_window(bypass_csp=True),
    )  # the site's policy forbids what this test asks
    nobody_is_signed_in(window)
    sign_in_at_the_page(window)
    assert window.page.inner_text("h1") == "환영합니다"
    assert len(Apps.open(window).accounts()) == 1
    apps = copied(window, thief)
    assert len(apps.accounts()) == 1
    seconds = apps.seconds_until_all_refuse(window.page, "#here")
    assert max(seconds.values()) < AT_ONCE, seconds
    assert apps.page.inner_text("#news") == "로그아웃되었습니다."
    window.page.wait_for_selector("#signed-out:visible")
    assert window.page.inner_text("#news") == "로그아웃되었습니다"
    assert window.find("document.activeElement.id") == "sign-in"
    nobody_is_signed_in(window)


def nobody_is_signed_in(window: Window) -> None:
    open_page(window.page, window)
    assert window.page.inner_text("h1") == "로그인하고 주문하세요"
    assert window.open_site().status == 401
    answer = window.page.goto(f"{window.site.orders_api}/api/me")
    assert answer is not None
    assert (answer.status, answer.json()["message"]) == (401, "토큰이 없습니다")


def test_signing_out_everywhere_ends_the_apps_of_another_device(open_window: OpenWindow) -> None:
    phone, desk = open_window(bypass_csp=True), open_window(locale="en-US")
    sign_in_at_the_page(phone)
    sign_in_at_the_page(desk)
    apps = Apps.open(phone)
    seconds = apps.seconds_until_all_refuse(desk.page, "#everywhere")
    assert max(seconds.values()) < AT_ONCE, seconds
    desk.page.wait_for_selector("#signed-out:visible")
    assert desk.page.inner_text("#news") == "Signed out everywhere"
    sign_in_at_the_page(phone)
    assert len(Apps.open(phone).accounts()) == 1


def test_the_page_orders_from_the_api_of_another_origin(window: Window) -> None:
    sign_in_at_the_page(window)
    window.page.fill("#item", " <b>호두과자</b> ")
    window.page.press("#item", "Enter")
    window.page.get_by_role("listitem").first.wait_for()
    assert window.page.locator("#orders li").first.inner_text() == "<b>호두과자</b>"
    assert window.page.input_value("#item") == ""


def test_a_page_that_the_api_does_not_know_can_neither_read_nor_order(window: Window) -> None:
    """The Flask site is the same site to a browser, so the cookie travels: the API must look at the origin."""
    window.sign_in()
    window.open_site()
    orders = f"{window.site.orders_api}/api/orders"
    trap = f"{window.site.flask_site}/trap"
    window.page.route(trap, lambda route: route.fulfill(content_type="text/html", body="<p>trap"))
    window.page.goto(trap)
    asked = "([url, more]) => fetch(url, {credentials: 'include', ...more}).then(a => a.type, () => 'kept from us')"
    plain = {"method": "POST", "body": '{"item": "a trap"}', "headers": {"Content-Type": "text/plain"}}
    assert window.page.evaluate(asked, [orders, {}]) == "kept from us"
    assert window.page.evaluate(asked, [orders, plain]) == "kept from us"
    window.complaints.clear()
    placed = window.page.goto(orders)
    assert placed is not None
    assert "a trap" not in [order["item"] for order in placed.json()]


def test_the_page_renews_a_token_that_has_expired(window: Window) -> None:
    sign_in_at_the_page(window)
    window.page.context.clear_cookies(name=cookies.TOKEN_HOST_ONLY)  # as a browser does after an hour
    open_page(window.page, window)
    assert window.page.inner_text("h1") == "환영합니다"


def test_the_site_sends_whoever_has_a_session_through_the_sign_in_page_and_back(window: Window) -> None:
    window.sign_in()
    window.page.context.clear_cookies(name=cookies.TOKEN_HOST_ONLY)  # as a browser does after an hour
    assert window.open_site().status == 401
    window.page.get_by_role("link", name="로그인").click()
    window.page.wait_for_url(f"{window.site.flask_site}/")
    assert "환영합니다" in window.text()


def test_whose_token_is_refused_while_the_session_lives_is_let_in_without_a_click(window: Window) -> None:
    """As after an hour, or when the key that signed it was revoked."""
    window.sign_in()
    spoil_the_token(window)
    answer = window.open_site()
    assert answer.status == 200
    assert window.page.url == f"{window.site.flask_site}/"
    assert "환영합니다" in window.text()


def spoil_the_token(window: Window) -> None:
    token = window.cookies()[cookies.TOKEN_HOST_ONLY]
    window.page.context.add_cookies(
        [
            {
                "name": token["name"],
                "value": f"{token['value'][:-8]}AAAAAAAA",
                "domain": token["domain"],
                "path": "/",
                "secure": True,
                "httpOnly": True,
            }
        ]
    )


def test_the_apps_fit_a_small_phone_in_both_languages(open_window: OpenWindow, tmp_path: Path) -> None:
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for locale in ("ko-KR", "en-US"):
        window = open_window(locale, viewport=SMALL_PHONE, is_mobile=True, has_touch=True)
        for scheme in schemes:
            window.page.emulate_media(color_scheme=scheme)
            look_at_both(window, tmp_path / f"{locale}-{scheme}-signed-out.png")
        sign_in_at_the_page(window)
        look_at_both(window, tmp_path / f"{locale}-signed-in.png")


def look_at_both(window: Window, picture: Path) -> None:
    window.open_site()
    fits(window)
    open_page(window.page, window)
    fits(window)
    assert window.page.get_attribute("html", "lang") == window.find("navigator.language").split("-")[0]
    window.page.screenshot(path=picture)
