"""The whole story in a real browser: in once, welcome elsewhere, a rotation that nobody notices, and out."""

import json
import time
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from joserfc.jwk import KeySet
from joserfc.jws import deserialize_compact
from playwright.sync_api import Cookie
from sqlalchemy import text

from authserver.database import Database
from authserver.protocol import cookies, paths
from authserver.protocol.revocation import EVENT
from tests.browser.conftest import OpenWindow
from tests.browser.window import Window
from tests.processes import LoginService, authserver, until

pytestmark = pytest.mark.browser


def test_a_person_signs_in_is_welcome_and_signs_out(
    window: Window, site: LoginService, tmp_path: Path
) -> None:
    the_site_sends_us_to_sign_in(window)
    the_sign_in_page_is_korean(window, tmp_path)
    a_wrong_password_is_told(window)
    window.fill_in()
    we_are_welcome_at_the_site(window)
    the_cookies_are_as_promised(window)
    the_signing_key_changes(site)
    assert window.open_site().status == 200
    our_session_is_listed(window)
    copy = window.cookies()[cookies.TOKEN_HOST_ONLY]
    we_sign_out(window)
    a_copy_of_the_token_is_refused(window, copy)
    the_sign_out_is_on_record(site, claims(copy["value"])["sid"])


def the_site_sends_us_to_sign_in(window: Window) -> None:
    answer = window.open_site()
    assert answer.status == 401
    assert "로그인이 필요합니다" in window.text()
    window.page.get_by_role("link", name="로그인").click()
    window.page.wait_for_url("**/login?**")


def the_sign_in_page_is_korean(window: Window, tmp_path: Path) -> None:
    page = window.page
    assert page.get_attribute("html", "lang") == "ko"
    assert page.title().startswith("로그인")
    assert page.get_by_label("아이디").is_visible()
    assert page.get_by_label("비밀번호").is_visible()
    page.screenshot(path=tmp_path / "sign-in.png")


def a_wrong_password_is_told(window: Window) -> None:
    window.fill_in("not my password at all")
    alert = window.page.get_by_role("alert")
    assert alert.inner_text() == "아이디 또는 비밀번호가 올바르지 않습니다."
    assert window.page.title().startswith("오류")
    assert window.page.input_value("#username") == "demo"
    assert window.page.input_value("#password") == ""
    assert window.find("document.activeElement.id") == "password"
    assert window.page.get_attribute("#password", "aria-describedby") == alert.get_attribute("id")
    assert set(window.cookies()) == {cookies.FORM}


def we_are_welcome_at_the_site(window: Window) -> None:
    window.page.wait_for_url(f"{window.site.flask_site}/")
    assert "환영합니다" in window.text()
    assert "demo, user" in window.text()


def the_cookies_are_as_promised(window: Window) -> None:
    found = window.cookies()
    assert set(found) == {cookies.SESSION, cookies.TOKEN_HOST_ONLY, cookies.FORM, cookies.DEVICE}
    for cookie in found.values():
        assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Lax")
        assert (cookie["domain"], cookie["path"]) == ("127.0.0.1", "/")  # without a dot: this host alone
    lifetime = found[cookies.TOKEN_HOST_ONLY]["expires"] - time.time()
    assert 3_500 < lifetime <= 3_600
    assert window.find("document.cookie") == ""


def the_signing_key_changes(site: LoginService) -> None:
    before = published(site)
    said = json.loads(authserver("keys", "rotate", "--data", str(site.data), "--json").stdout)
    assert said["outcome"] == "promoted"
    until(lambda: signing_kid(site) == said["active"])
    assert before < published(site)  # the old key stays for its tokens, and there is a new next one


def our_session_is_listed(window: Window) -> None:
    window.open("/account")
    session = window.page.get_by_role("listitem").filter(has_text="현재 기기")
    assert session.count() == 1
    assert "Chrome" in session.inner_text()
    assert "127.0.0.1" in session.inner_text()


def we_sign_out(window: Window) -> None:
    window.page.get_by_role("button", name="로그아웃", exact=True).click()
    window.page.wait_for_url("**/signed-out")
    assert "로그아웃되었습니다" in window.text()
    assert {cookies.SESSION, cookies.TOKEN_HOST_ONLY}.isdisjoint(window.cookies())
    assert window.open_site().status == 401


def a_copy_of_the_token_is_refused(window: Window, copy: Cookie) -> None:
    """Somebody kept a copy of the cookie: it is worth nothing either, as soon as the service has heard."""
    window.page.context.add_cookies(
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
    until(lambda: window.open_site().status == 401)
    the_site_says_that_we_were_signed_out(window)


def the_site_says_that_we_were_signed_out(window: Window) -> None:
    """In words for a person, who has never seen a token; the guard's own sentence is for programs."""
    assert "로그아웃되었습니다" in window.text()
    assert "토큰" not in window.text()


def the_sign_out_is_on_record(site: LoginService, sid: str) -> None:
    database = Database(f"sqlite:///{site.data / 'authserver.db'}")
    rows = database.read(lambda db: db.execute(text("SELECT kind, value FROM revocation")).all())
    database.close()
    assert ("sid", sid) in [tuple(row) for row in rows]
    assert {"kind": "sid", "value": sid}.items() <= entry_for(site, sid).items()


def entry_for(site: LoginService, sid: str) -> dict[str, Any]:
    """Read the signed feed as a stranger would: with the published keys."""
    keys = KeySet.import_key_set(httpx2.get(site.origin + paths.JWKS).json())
    feed = deserialize_compact(httpx2.get(site.origin + paths.REVOCATIONS).text, keys, algorithms=["RS256"])
    entries = json.loads(feed.payload)["events"][EVENT]["entries"]
    found: dict[str, Any] = next(entry for entry in entries if entry["value"] == sid)
    return found


def published(site: LoginService) -> set[str]:
    return {key["kid"] for key in httpx2.get(site.origin + paths.JWKS).json()["keys"]}


def signing_kid(site: LoginService) -> str:
    return str(jwt.get_unverified_header(httpx2.get(site.origin + paths.REVOCATIONS).text)["kid"])


def claims(token: str) -> dict[str, Any]:
    unverified: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return unverified


def test_signing_in_needs_no_script(open_window: OpenWindow) -> None:
    window = open_window(java_script_enabled=False)
    the_site_sends_us_to_sign_in(window)
    window.fill_in("not my password at all")
    assert "올바르지 않습니다" in window.page.get_by_role("alert").inner_text()
    window.fill_in()
    we_are_welcome_at_the_site(window)
    window.open("/account")
    we_sign_out(window)


def test_signing_out_everywhere_ends_the_other_browser(open_window: OpenWindow) -> None:
    here, there = open_window(), open_window(locale="en-US")
    here.sign_in()
    assert here.open_site().status == 200
    there.sign_in()
    assert there.page.get_by_role("listitem").count() >= 2
    there.page.get_by_role("button", name="Sign out everywhere").click()
    there.page.wait_for_url("**/signed-out?everywhere=true")
    until(lambda: here.open_site().status == 401)
    the_site_says_that_we_were_signed_out(here)
    here.open("/account")
    assert here.page.url.startswith(f"{here.site.origin}/login")


def test_ending_one_session_leaves_the_other(open_window: OpenWindow) -> None:
    lost, mine = open_window(), open_window()
    lost.sign_in()
    mine.sign_in()
    other = mine.page.get_by_role("button", name="세션 종료")
    while other.count():
        other.first.click()
        mine.page.wait_for_url("**/account?done=session")
    assert "세션을 종료했습니다" in mine.page.get_by_role("status").inner_text()
    lost.open("/account")
    assert lost.page.url.startswith(f"{lost.site.origin}/login")
    assert mine.open("/account").status == 200
