"""Whoever steers a code elsewhere has the account: SECURITY O01, O03, O05, at every place that takes a redirect URI."""

from collections.abc import Callable

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.oauth.conftest import CALLBACK, App, MakeApp, on_the_way, returned
from tests.oauth.reading import PAGE, error, leads_nowhere
from tests.visitor import Visitor

pytestmark = SQLITE_ONLY  # what is read and refused here, no database has a part in

HOST = "orders.example"
FOREIGN = (
    f"{CALLBACK}/",
    f"https://{HOST}/CALLBACK",
    f"{CALLBACK}?x=1",
    f"{CALLBACK}?",
    f"{CALLBACK}#f",
    f"{CALLBACK}#",
    f"{CALLBACK}%2f",
    f"{CALLBACK}/..",
    f"https://{HOST}/x/../callback",
    f"{CALLBACK};a",
    f"{CALLBACK}%00",
    f"{CALLBACK}%0d%0aX:1",
    f"{CALLBACK}\r\nX:1",
    f"{CALLBACK}\n",
    f"{CALLBACK}\0",
    f"{CALLBACK}\\",
    f"https://{HOST}.evil/callback",
    f"https://{HOST}@evil/callback",
    f"https://evil\\@{HOST}/callback",
    f"https://evil%2f@{HOST}/callback",
    f"https://{HOST}:443/callback",
    f"https://{HOST}:444/callback",
    f"http://{HOST}/callback",
    "HTTPS://ORDERS.EXAMPLE/callback",
    "https://orders。example/callback",
    "https://xn--orders-example/callback",
    "https://[::ffff:7f00:1]/callback",
    "http://127.0.0.1/callback",
    f"//{HOST}/callback",
    "/callback",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:alert(1)",
    "orders:/callback",
    "com.example.orders:/callback",
    f" {CALLBACK}",
    f"{CALLBACK} ",
    f"https://{HOST}/call\tback",
    f"https://{HOST}/call\nback",
    f"{CALLBACK}\u2028",
    '"><script>alert(1)</script>',
    "https://한국.example/callback",
    f"{CALLBACK}/{'x' * 10_000}",
)
QUERY = "/oauth2/authorize?client_id=orders-web&response_type=code&scope=openid"

Send = Callable[[App, Visitor, dict[str, str]], httpx2.Response]


def by_get(_app: App, visitor: Visitor, fields: dict[str, str]) -> httpx2.Response:
    return visitor.get("/oauth2/authorize", params=fields, headers=PAGE)


def by_post(_app: App, visitor: Visitor, fields: dict[str, str]) -> httpx2.Response:
    return visitor.post("/oauth2/authorize", data=fields, headers=PAGE)


@pytest.fixture
def two_places(make_app: MakeApp) -> App:
    """An app that has to say where its answers go: it registered two places."""
    return make_app(redirect_uris=(CALLBACK, f"https://{HOST}/second"))


@pytest.fixture
def somebody(request: pytest.FixtureRequest, visitor: Visitor, alice: Account) -> Visitor:
    if request.param == "signed in":
        visitor.sign_in(alice.username, PASSWORD)
    return visitor


@pytest.mark.parametrize("somebody", ["signed in", "signed out"], indirect=True)
@pytest.mark.parametrize("send", [by_get, by_post])
def test_nobody_is_sent_to_an_address_that_is_not_registered_to_the_letter(
    two_places: App, somebody: Visitor, send: Send, subtests: pytest.Subtests
) -> None:
    for uri in FOREIGN:
        with subtests.test(uri=uri[:60]):
            assert leads_nowhere(send(two_places, somebody, two_places.request(redirect_uri=uri)))


def test_request_for_an_address_that_is_not_registered_cannot_be_pushed(
    two_places: App, visitor: Visitor, subtests: pytest.Subtests
) -> None:
    for uri in FOREIGN:
        with subtests.test(uri=uri[:60]):
            pushed = visitor.post(
                "/oauth2/par", data=two_places.request(redirect_uri=uri), auth=two_places.auth
            )
            assert error(pushed) == "invalid_request"


def test_code_is_not_exchanged_with_an_address_that_is_not_the_one_it_was_sent_to(
    two_places: App, alice: Account, visitor: Visitor, subtests: pytest.Subtests
) -> None:
    visitor.sign_in(alice.username, PASSWORD)
    code = two_places.code(visitor)
    for uri in (*FOREIGN, f"https://{HOST}/second", ""):
        with subtests.test(uri=uri[:60]):
            answer = two_places.exchange(visitor, code, redirect_uri=uri)
            assert error(answer) == ("invalid_request" if "\0" in uri else "invalid_grant")
    assert error(two_places.exchange(visitor, code, redirect_uri=None)) == "invalid_grant"
    assert two_places.exchange(visitor, code).status_code == 200


READ_IN_TWO_WAYS = (
    f"{QUERY}&redirect_uri={CALLBACK}&redirect_uri=https://evil.example/",
    f"{QUERY}&redirect_uri={CALLBACK}&redirect_uri={CALLBACK}",
    f"{QUERY}&redirect_uri[]={CALLBACK}",
    f"{QUERY}&redirect_uri%5B%5D={CALLBACK}",
    f"{QUERY}&redirect_uri=",
    QUERY,
    f"{QUERY};redirect_uri={CALLBACK}",
    f"{QUERY}&redirect_uri=%FF%FE",
    f"{QUERY}&redirect_uri=%ED%A0%80",
    f"{QUERY}&redirect_uri={CALLBACK}%00",
)


@pytest.mark.parametrize("somebody", ["signed in", "signed out"], indirect=True)
def test_address_that_can_be_read_in_two_ways_leads_nowhere(
    two_places: App, somebody: Visitor, subtests: pytest.Subtests
) -> None:
    for raw in READ_IN_TWO_WAYS:
        with subtests.test(raw=raw):
            assert leads_nowhere(somebody.get(raw, headers=PAGE))


def test_only_registered_address_need_not_be_named(app: App, alice: Account, visitor: Visitor) -> None:
    visitor.sign_in(alice.username, PASSWORD)
    code = returned(app.authorize(visitor, redirect_uri=None))["code"]
    assert app.exchange(visitor, code, redirect_uri=None).status_code == 200


def test_array_syntax_is_an_unknown_parameter_and_steers_nobody(
    app: App, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in(alice.username, PASSWORD)
    fields = {**app.request(redirect_uri=None), "redirect_uri[]": "https://evil.example/"}
    assert "code" in returned(visitor.get("/oauth2/authorize", params=fields))


OFF_THE_PORT = (
    "http://localhost:51004/cb",
    "http://127.0.0.2:51004/cb",
    "http://[::1]:51004/cb",
    "http://127.0.0.1:51004/other",
    "http://127.0.0.1:51004/cb?x=1",
    "http://127.0.0.1:51004/cb\n",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:51004@evil.example/cb",
    "http://127.0.0.1:@evil.example/cb",
    "http://127.0.0.1:٣/cb",
    "http://127.0.0.1.evil.example:51004/cb",
    "http://127.1:51004/cb",
    "http://2130706433:51004/cb",
    "https://127.0.0.1:51004/cb",
)
WRONG: tuple[dict[str, str | None], ...] = (
    {"client_id": "nobody"},
    {"client_id": None},
    {"client_id": "Orders-Web"},
    {"client_id": "orders-web "},
    {"client_id": "orders\u2010web"},
    {"client_id": "orders-web\\"},
    {"client_id": "주문"},
    {"response_type": "token"},
    {"response_type": "code id_token"},
    {"response_type": None},
    {"response_type": '"'},
    {"prompt": "none"},
    {"prompt": "none login"},
    {"prompt": "none", "max_age": "0"},
    {"scope": '"'},
    {"request": "eyJhbGciOiJub25lIn0.e30."},
    {"request_uri": "https://evil.example/request"},
    {"request_uri": "urn:ietf:params:oauth:request_uri:guessed"},
    {"state": "x" * 5000},
    {"response_mode": "form_post"},
    {"code_challenge_method": "plain"},
)


@pytest.fixture
def native(make_app: MakeApp) -> App:
    return make_app(application_type="native", redirect_uris=("http://127.0.0.1/cb", "http://[::1]/cb"))


def test_native_app_may_listen_on_any_port_of_the_loopback_address(
    native: App, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in(alice.username, PASSWORD)
    for host in ("127.0.0.1", "[::1]"):
        for port in ("", ":1", ":80", ":51004", ":65535"):
            sent_to = native.authorize(visitor, redirect_uri=f"http://{host}{port}/cb").headers["location"]
            assert sent_to.startswith(f"http://{host}{port}/cb?code=")


def test_nothing_but_the_port_may_differ_on_loopback(
    make_app: MakeApp, alice: Account, visitor: Visitor, subtests: pytest.Subtests
) -> None:
    native = make_app(application_type="native", redirect_uris=("http://127.0.0.1/cb",))
    visitor.sign_in(alice.username, PASSWORD)
    for uri in OFF_THE_PORT:
        with subtests.test(uri=uri):
            assert leads_nowhere(by_get(native, visitor, native.request(redirect_uri=uri)))


@pytest.mark.parametrize("somebody", ["signed in", "signed out"], indirect=True)
def test_error_of_any_kind_leads_to_no_address_that_is_not_registered(
    app: App, somebody: Visitor, subtests: pytest.Subtests
) -> None:
    for wrong in WRONG:
        for send in (by_get, by_post):
            with subtests.test(wrong=wrong, by=send.__name__):
                fields = app.request(redirect_uri="https://evil.example/cb", **wrong)
                assert leads_nowhere(send(app, somebody, fields))


@pytest.mark.parametrize("state", ["disabled", "deleted"])
def test_client_that_is_gone_gets_nobody_not_even_at_its_own_address(
    server: Server, app: App, alice: Account, visitor: Visitor, clock: HandClock, state: str
) -> None:
    visitor.sign_in(alice.username, PASSWORD)
    clock.advance(1)
    _, waiting = on_the_way(app.authorize(visitor, prompt="login"))
    parts = server.capabilities
    if state == "disabled":
        now = parts.clock.now()
        parts.database.write(lambda db: store.change(db, app.client.client_id, disabled_at=now))
    else:
        parts.database.write(lambda db: store.delete(db, app.client.client_id))
    assert leads_nowhere(app.authorize(visitor))
    assert leads_nowhere(by_post(app, visitor, app.request()))
    assert leads_nowhere(visitor.get(waiting["return_to"]))


def test_error_page_shows_nothing_that_was_sent(app: App, visitor: Visitor) -> None:
    marked = '"><script>alert(7311)</script>'
    answer = by_get(app, visitor, app.request(redirect_uri=marked, client_id=marked, state=marked))
    assert leads_nowhere(answer)
    assert "7311" not in answer.text.replace("%3E%3Cscript%3Ealert%287311%29", "")
    assert "<script>alert" not in answer.text
