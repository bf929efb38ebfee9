"""A real Chromium, a login service and three apps, each in a process of its own.

Playwright keeps an event loop running in this thread while it is open, so each module opens it for itself: other
tests run loops of their own.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.window import Window
from tests.processes import LoginService, login_service

NAMES = ("chromium", "chromium-browser", "google-chrome")
ALONE = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

OpenWindow = Callable[..., Window]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("REQUIRE_BROWSER=1, and there is no Chromium")
    if found is None:
        pytest.skip("there is no Chromium here")
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ALONE)
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(
    chromium: str, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[LoginService]:
    with login_service(tmp_path_factory.mktemp("site"), sqlite_template) as running:
        yield running


@pytest.fixture
def open_window(browser: Browser, site: LoginService) -> Iterator[OpenWindow]:
    """Make a browser of somebody's own: cookies, language, screen. What it complains about fails the test."""
    opened: list[tuple[BrowserContext, Window]] = []

    def make(locale: str = "ko-KR", site: LoginService = site, **more: Any) -> Window:
        context = browser.new_context(locale=locale, **more)
        context.set_default_timeout(10_000)
        opened.append((context, Window(context.new_page(), site)))
        return opened[-1][1]

    yield make
    for context, _ in opened:
        context.close()
    assert [window.complaints for _, window in opened] == [[] for _ in opened]


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    return open_window()
