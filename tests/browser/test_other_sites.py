"""What pages of other sites can make a real browser do to us: nothing.

`localhost` and `127.0.0.1` are two sites to a browser. The Flask site's origin is ours but for the port: the same
site, so its requests carry the cookies, and SameSite is no help (a sibling subdomain is the same case).
"""

import html
from collections.abc import Iterator
from pathlib import Path

import pytest

from authserver.protocol import cookies
from tests.browser.conftest import OpenWindow
from tests.browser.window import USERNAME, Window
from tests.conftest import PASSWORD
from tests.processes import LoginService, login_service

pytestmark = pytest.mark.browser

OTHER = "http://localhost:9"  # nobody listens: the browser is handed the page before it asks


def visit(window: Window, origin: str, body: str) -> None:
    """Open a page of another origin, which holds what its owner likes."""
    document = f"<!doctype html><meta charset=utf-8><link rel=icon href=data:,><body>{body}"
    window.page.unroute_all()
    window.page.route(
        f"{origin}/trap", lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=document)
    )
    window.page.goto(f"{origin}/trap")


def form(action: str, fields: dict[str, str], enctype: str = "application/x-www-form-urlencoded") -> str:
    inputs = (f'<input name="{html.escape(n)}" value="{html.escape(v)}">' for n, v in fields.items())
    return f'<form method=post action="{action}" enctype="{enctype}">{"".join(inputs)}<button>Win!</button></form>'


def spring(window: Window) -> int:
    """Fall for the trap, and answer the status of what came."""
    with window.page.expect_navigation() as navigation:
        window.page.click("button")
    answer = navigation.value
    assert answer is not None
    return answer.status


def test_another_site_cannot_sign_a_person_in(window: Window) -> None:
    visit(window, OTHER, form(f"{window.site.origin}/login", {"username": USERNAME, "password": PASSWORD}))
    assert spring(window) == 403
    assert cookies.SESSION not in window.cookies()
    assert "다른 사이트" in window.text()


def test_another_origin_cannot_sign_a_person_out(window: Window) -> None:
    window.sign_in()
    logout, fields = f"{window.site.origin}/logout", {"everywhere": "true"}
    looks_like_json = form(logout, {'{"everywhere": true, "x": "': '"}'}, "text/plain")
    for origin, trap, refusals in (
        (OTHER, form(logout, fields), {403}),
        (window.site.flask_site, form(logout, fields), {403}),
        (window.site.flask_site, looks_like_json, {403, 415}),
    ):
        visit(window, origin, trap)
        assert spring(window) in refusals, (origin, trap)
    assert window.open("/account").status == 200
    assert window.page.url.endswith("/account")


def test_another_origin_cannot_frame_the_sign_in_page(window: Window) -> None:
    # A page that came over the network: from an invented one the browser frames nothing at all. The site's own policy
    # would forbid the frame before we do, so this one is the API's.
    window.page.goto(f"{window.site.orders_api}/openapi.json")
    with window.page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        window.page.set_content(f'<iframe src="{window.site.origin}/login"></iframe>')
    window.complaints.clear()
    _, frame = window.page.frames
    assert frame.url.startswith("chrome-error:")
    assert frame.locator("#password").count() == 0


def test_a_link_from_another_site_arrives_signed_in(window: Window) -> None:
    """SameSite=Lax: whoever follows a link stays signed in."""
    window.sign_in()
    visit(window, OTHER, f'<a href="{window.site.flask_site}/">the site</a>')
    window.page.click("a")
    window.page.wait_for_url(f"{window.site.flask_site}/")
    assert "환영합니다" in window.text()


@pytest.fixture
def strict_site(chromium: str, tmp_path: Path, sqlite_template: Path) -> Iterator[LoginService]:
    with login_service(tmp_path, sqlite_template, apps=False, cookie_samesite="strict") as running:
        yield running


def test_a_strict_token_cookie_stays_behind_when_another_site_links_to_us(
    strict_site: LoginService, open_window: OpenWindow
) -> None:
    window = open_window(site=strict_site)
    window.sign_in()
    assert window.cookies()[cookies.TOKEN_HOST_ONLY]["sameSite"] == "Strict"
    visit(window, OTHER, f'<a href="{strict_site.origin}/account">account</a>')
    with window.page.expect_request(f"{strict_site.origin}/account") as followed:
        window.page.click("a")
    window.page.wait_for_url("**/account")
    sent = followed.value.all_headers()["cookie"]
    assert cookies.SESSION in sent
    assert cookies.TOKEN_HOST_ONLY not in sent
