"""Signing out for an app, as a browser does it: frames under our policy, the way back, and forms of other sites."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from authserver.clients import store
from authserver.clients.store import Client
from authserver.protocol import paths
from tests.browser.conftest import OpenWindow
from tests.browser.fit import SMALL_PHONE, fits
from tests.browser.window import Window
from tests.faults.login import claims_of
from tests.oauth.conftest import CHALLENGE, VERIFIER
from tests.processes import LoginService, until

pytestmark = pytest.mark.browser

FORM = """<!doctype html><form method="post" action="{action}">{fields}</form><button>Sign out</button>
<script>document.querySelector('button').onclick = () => document.querySelector('form').submit()</script>"""


@dataclass
class Shop:
    """An app on another site than the login service: `localhost`, not 127.0.0.1."""

    login: LoginService
    visits: list[str] = field(default_factory=list)
    page: str = "<!doctype html><title>Shop</title>"
    port: int = 0

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def client_id(self) -> str:
        return f"shop-{self.port}"

    def visited(self, path: str) -> list[dict[str, list[str]]]:
        places = [urlsplit(visit) for visit in self.visits]
        return [parse_qs(place.query) for place in places if place.path == path]

    def id_token(self, window: Window) -> str:
        """Let the person of this window sign in to the shop."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": f"{self.origin}/callback",
            "scope": "openid",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        window.open(f"{paths.AUTHORIZE}?{urlencode(asked)}")
        code = self.visited("/callback")[-1]["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"]}
        form |= {"client_id": self.client_id, "code_verifier": VERIFIER}
        return str(httpx2.post(self.login.origin + paths.TOKEN, data=form).json()["id_token"])

    def handler(self) -> type[BaseHTTPRequestHandler]:
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.visits.append(self.path)
                body = shop.page.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's word
                pass

        return Handler


@pytest.fixture
def shop(site: LoginService) -> Iterator[Shop]:
    made = Shop(site)
    server = ThreadingHTTPServer(("localhost", 0), made.handler())
    server.daemon_threads = True
    made.port = server.server_port
    client = Client(
        client_id=made.client_id,
        client_name="Shop",
        redirect_uris=(f"{made.origin}/callback",),
        post_logout_redirect_uris=(f"{made.origin}/bye",),
        frontchannel_logout_uri=f"{made.origin}/frame",
        frontchannel_logout_session_required=True,
        scope="openid",
        token_endpoint_auth_method="none",
        first_party=True,
        registered_by="operator",
        created_at=datetime.now(UTC),
    )
    site.keyring.parts.database.write(lambda db: store.add(db, client))
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def test_apps_are_framed_and_the_browser_goes_on_by_itself(shop: Shop, window: Window) -> None:
    window.sign_in()
    hint = shop.id_token(window)
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": f"{shop.origin}/bye", "state": "a b"}
    window.open(f"{paths.END_SESSION}?{urlencode(asked)}")
    window.page.wait_for_url("**/bye?state=a+b")
    assert shop.visited("/frame") == [{"iss": [shop.login.origin], "sid": [str(claims_of(hint)["sid"])]}]
    window.open("/account")
    assert "/login" in window.page.url


def test_form_of_another_site_signs_out_all_the_same(shop: Shop, window: Window) -> None:
    """The cookie is not sent with it (SameSite=Lax), and is with the GET that follows."""
    window.sign_in()
    hint = shop.id_token(window)
    field = f'<input type="hidden" name="id_token_hint" value="{hint}">'
    shop.page = FORM.format(action=shop.login.origin + paths.END_SESSION, fields=field)
    window.page.goto(f"{shop.origin}/shop")
    window.page.click("button")
    window.page.wait_for_url(f"{shop.login.origin}{paths.END_SESSION}?**")
    until(lambda: shop.visited("/frame"))
    window.open("/account")
    assert "/login" in window.page.url


def test_person_who_is_asked_may_stay_or_leave(shop: Shop, open_window: OpenWindow) -> None:
    window = open_window(viewport=SMALL_PHONE, is_mobile=True, has_touch=True)
    window.sign_in()
    shop.id_token(window)
    asked = {"client_id": shop.client_id, "post_logout_redirect_uri": f"{shop.origin}/bye"}
    for locale in ("en", "ko"):
        window.open(f"{paths.END_SESSION}?{urlencode({**asked, 'ui_locales': locale})}")
        fits(window)
    window.page.click("a.button.wide")
    window.page.wait_for_url("**/account")
    window.page.go_back()
    window.page.click("button[type=submit]")
    window.page.wait_for_url("**/bye")
    assert len(shop.visited("/frame")) == 1
