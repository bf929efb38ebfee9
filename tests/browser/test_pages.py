"""The pages for everybody: by keyboard alone, on a small phone, in the dark, in either language."""

import re
from typing import Literal

import pytest

from tests.browser.conftest import OpenWindow
from tests.browser.fit import SMALL_PHONE, fits
from tests.browser.window import USERNAME, Window
from tests.conftest import PASSWORD

pytestmark = pytest.mark.browser

PAGES = ("/account", "/account/password", "/nowhere", "/signed-out")

COLOURS = """(() => { const [page, text] = ['main', 'h1'].map(it => getComputedStyle(document.querySelector(it)));
    const ground = getComputedStyle(document.documentElement).backgroundColor;
    return [page.backgroundColor == 'rgba(0, 0, 0, 0)' ? ground : page.backgroundColor, text.color]; })()"""


def test_signing_in_takes_no_mouse(window: Window) -> None:
    window.open("/login")
    press = window.page.keyboard
    assert window.find("document.activeElement.id") == "username"
    press.type(USERNAME)
    press.press("Tab")
    press.type(PASSWORD)
    press.press("Tab")
    assert window.find("document.activeElement.type") == "submit"
    assert window.find("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    press.press("Enter")
    window.page.wait_for_url("**/account")


def test_every_page_fits_a_small_phone_in_both_languages(open_window: OpenWindow) -> None:
    window = open_window(viewport=SMALL_PHONE, is_mobile=True, has_touch=True)
    window.open("/login")
    fits(window)
    window.sign_in()
    for path in PAGES:
        for locale in ("ko", "en"):
            window.open(f"{path}?ui_locales={locale}")
            assert window.page.get_attribute("html", "lang") == locale
            fits(window)


def test_text_stands_out_in_the_dark_and_in_the_light(window: Window) -> None:
    window.open("/login")
    schemes: tuple[Literal["dark", "light"], ...] = ("dark", "light")
    for scheme in schemes:
        window.page.emulate_media(color_scheme=scheme)
        ground, text = (luminance(colour) for colour in window.find(COLOURS))
        assert (ground < 0.05) is (scheme == "dark")
        assert (max(ground, text) + 0.05) / (min(ground, text) + 0.05) > 7


def luminance(colour: str) -> float:
    """WCAG 2.2: relative luminance of `rgb(…)`."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_language_can_be_changed_on_the_page(open_window: OpenWindow) -> None:
    window = open_window("en-US")
    window.open("/login?return_to=/account/password")
    window.page.get_by_role("link", name="한국어").click()
    window.page.wait_for_url("**ui_locales=ko**")
    assert window.page.get_attribute("html", "lang") == "ko"
    window.page.fill("#username", USERNAME)
    window.page.fill("#password", PASSWORD)
    window.page.press("#password", "Enter")
    window.page.wait_for_url("**/account/password")


def test_the_way_back_after_sign_out_shows_nothing(window: Window) -> None:
    window.sign_in()
    window.page.get_by_role("button", name="로그아웃", exact=True).click()
    window.page.wait_for_url("**/signed-out")
    window.page.go_back()
    window.page.wait_for_url("**/login?return_to=%2Faccount")
    assert window.page.get_by_label("비밀번호").is_visible()


def test_a_password_that_is_refused_is_explained_at_its_field(window: Window) -> None:
    window.sign_in()
    window.open("/account/password")
    window.page.fill("#current_password", PASSWORD)
    window.page.fill("#new_password", "short")
    window.page.click("button[type=submit]")
    assert window.page.get_attribute("#new_password", "aria-invalid") == "true"
    assert "15자 이상" in window.page.inner_text("#new_password-error")
    assert window.find("document.activeElement.id") == "new_password"
