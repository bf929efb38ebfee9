"""One person's browser window: what people do with our pages, and what the browser complains about."""

import re
from typing import Any, Final

from playwright.sync_api import ConsoleMessage, Cookie, Page, Response

from authserver.protocol.cookies import TOKEN_HOST_ONLY
from tests.conftest import PASSWORD
from tests.processes import LoginService

USERNAME: Final = "demo"
REFUSED: Final = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


class Window:
    """A page with a context of its own."""

    def __init__(self, page: Page, site: LoginService) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Response:
        answer = self.page.goto(self.site.origin + path)
        assert answer is not None
        return answer

    def open_site(self) -> Response:
        answer = self.page.goto(f"{self.site.flask_site}/")
        assert answer is not None
        return answer

    def fill_in(self, password: str = PASSWORD) -> None:
        """Fill the form of the sign-in page, and send it."""
        self.page.fill("#username", USERNAME)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")

    def sign_in(self) -> None:
        self.open("/login")
        self.fill_in()
        self.page.wait_for_url("**/account")

    def text(self) -> str:
        return self.page.inner_text("main")

    def cookies(self) -> dict[str, Cookie]:
        return {cookie["name"]: cookie for cookie in self.page.context.cookies()}

    def token(self) -> str:
        return str(self.cookies()[TOKEN_HOST_ONLY]["value"])

    def find(self, script: str) -> Any:
        return self.page.evaluate(script)

    def _hear(self, message: ConsoleMessage) -> None:
        """A page that is refused is an answer like any other; a style sheet that is missing is not."""
        refused = REFUSED.match(message.text) and "/static/" not in message.location["url"]
        if message.type in {"error", "warning"} and not refused:
            self.complaints.append(f"{message.text} {message.location['url']}")
