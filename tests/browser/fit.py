"""What every page must be for everybody, in scripts that a browser answers: it fits, can be touched, and is named."""

from typing import Final

from tests.browser.window import Window

SMALL_PHONE: Final = {"width": 320, "height": 640}  # WCAG 1.4.10: no scrolling in two directions at 320 px
FINGER: Final = 44  # WCAG 2.5.5: CSS pixels

NAMELESS: Final = """[...document.querySelectorAll('input:not([type=hidden]), button, a, img:not([alt=""])')]
    .filter(it => it.checkVisibility())
    .filter(it => !(it.labels?.length || it.innerText?.trim() || it.alt)).map(it => it.outerHTML)"""
TOO_SMALL: Final = f"""[...document.querySelectorAll('input:not([type=hidden]), button, a')]
    .filter(it => it.checkVisibility()).filter(it => !it.closest('p, .failure'))
    .filter(it => it.getBoundingClientRect().height < {FINGER}).map(it => it.outerHTML)"""
SIDEWAYS: Final = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


def fits(window: Window) -> None:
    """Assert that the page that is open fits a small phone."""
    assert not window.find(SIDEWAYS), window.page.url
    assert window.find(TOO_SMALL) == [], window.page.url
    assert window.find(NAMELESS) == [], window.page.url
    assert window.page.locator("h1").count() == 1
