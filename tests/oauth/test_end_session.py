"""RP-Initiated Logout: each module of the certification suite's plan, then what an attacker would try."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from tests.attacks.fast_servers import logs_of_production, make_settings
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, add_account
from tests.faults.login import claims_of
from tests.oauth.conftest import App, MakeApp, returned
from tests.signing_keys import ec_key_pairs
from tests.visitor import Visitor

BYE = "https://orders.example/bye"
STATE = "a b+c/ü&x=y%20"
CONFIRM = "/oauth2/logout/confirm"

__all__ = ["logs_of_production", "make_settings"]

# What the databases do about it is in tests/deliveries: a clone of PostgreSQL's takes longer than such a test.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def make_app(make_app: MakeApp) -> MakeApp:
    """As everywhere, with the keys of a server that starts fast."""

    def make(**chosen: Any) -> App:
        return make_app(**{"id_token_signed_response_alg": "ES256", **chosen})

    return make


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(post_logout_redirect_uris=(BYE, f"{BYE}?from=us"))


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in("alice", PASSWORD)
    return visitor


@pytest.fixture
def hint(app: App, signed_in: Visitor) -> str:
    """The ID token that the app was given in this session."""
    return str(app.exchange(signed_in, app.code(signed_in)).json()["id_token"])


def leave(visitor: Visitor, **parameters: str) -> httpx2.Response:
    return visitor.get("/oauth2/logout", params=parameters, headers={"Accept": "text/html"})


def is_signed_in(app: App, visitor: Visitor) -> bool:
    """As the suite finds out: by `prompt=none`."""
    answer = returned(app.authorize(visitor, prompt="none"))
    assert ("code" in answer) != (answer.get("error") == "login_required")
    return "code" in answer


def confirmed(visitor: Visitor, page: httpx2.Response) -> httpx2.Response:
    """Click on "Sign out"."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))
    plain = {name: value.replace("&amp;", "&").replace("&#43;", "+") for name, value in fields.items()}
    return visitor.post(CONFIRM, data=plain, headers={"Origin": ISSUER, "Accept": "text/html"})


def asks(page: httpx2.Response) -> bool:
    assert page.status_code == 200, page.text
    assert "location" not in page.headers
    assert "refresh" not in page.headers
    return "Do you want to sign out?" in page.text


def says_signed_out(page: httpx2.Response) -> bool:
    assert page.status_code == 200, page.text
    assert "location" not in page.headers
    return "<h1>Signed out</h1>" in page.text


# The modules of the plan


def test_rp_initiated_logout(app: App, signed_in: Visitor, hint: str) -> None:
    answer = leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE, state=STATE)
    assert answer.status_code == 303
    place = urlsplit(answer.headers["location"])
    assert place._replace(query="").geturl() == BYE
    assert parse_qsl(place.query, strict_parsing=True) == [("state", STATE)]
    assert not is_signed_in(app, signed_in)


def test_rp_initiated_logout_no_state(app: App, signed_in: Visitor, hint: str) -> None:
    answer = leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert (answer.status_code, answer.headers["location"]) == (303, BYE)
    assert not is_signed_in(app, signed_in)


@pytest.mark.parametrize(
    "uri",
    [
        "https://orders.example/bye2",
        "https://evil.example/bye",
        f"{BYE}/",
        f"{BYE}#x",
        "https://orders.example@evil.example/bye",
        "https://ORDERS.example/bye",
        "//orders.example/bye",
        "javascript:alert(1)",
        f"{BYE}\r\nSet-Cookie: a=b",
    ],
)
def test_rp_initiated_logout_bad_post_logout_redirect_uri(
    app: App, signed_in: Visitor, hint: str, uri: str
) -> None:
    assert asks(leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=uri, state=STATE))
    assert is_signed_in(app, signed_in)


def test_rp_initiated_logout_query_added_to_post_logout_redirect_uri(
    app: App, signed_in: Visitor, hint: str
) -> None:
    assert asks(leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=f"{BYE}?foo=bar", state="x"))


def test_rp_initiated_logout_no_id_token_hint(app: App, signed_in: Visitor) -> None:
    assert asks(leave(signed_in, post_logout_redirect_uri=BYE, state="x"))
    assert is_signed_in(app, signed_in)


def test_rp_initiated_logout_modified_id_token_hint(app: App, signed_in: Visitor, hint: str) -> None:
    _, payload, _ = hint.split(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{payload}."
    assert asks(leave(signed_in, id_token_hint=unsigned, post_logout_redirect_uri=BYE, state="x"))
    assert is_signed_in(app, signed_in)


def test_rp_initiated_logout_bad_id_token_hint(
    server: Server, app: App, signed_in: Visitor, hint: str
) -> None:
    """Signed by somebody else, under the name of our key."""
    kid = server.keyring.signer("ES256").kid
    other = next(pair for pair in ec_key_pairs() if pair["kid"] != kid)
    claims = dict(claims_of(hint))
    forged = jwt.encode({"alg": "ES256", "kid": kid, "typ": "JWT"}, claims, ECKey.import_key(other))
    assert asks(leave(signed_in, id_token_hint=forged, post_logout_redirect_uri=BYE, state="x"))
    assert is_signed_in(app, signed_in)


def test_rp_initiated_logout_no_params(app: App, signed_in: Visitor) -> None:
    page = leave(signed_in)
    assert asks(page)
    assert says_signed_out(confirmed(signed_in, page))
    assert not is_signed_in(app, signed_in)


def test_rp_initiated_logout_only_state(app: App, signed_in: Visitor) -> None:
    page = leave(signed_in, state="x")
    assert asks(page)
    assert says_signed_out(confirmed(signed_in, page))
    assert not is_signed_in(app, signed_in)


def test_rp_initiated_logout_no_post_logout_redirect_uri(app: App, signed_in: Visitor, hint: str) -> None:
    assert says_signed_out(leave(signed_in, id_token_hint=hint, state="x"))
    assert not is_signed_in(app, signed_in)


# Whoever is asked, and whoever is not


def test_hint_may_have_expired_long_ago(
    server: Server, app: App, signed_in: Visitor, hint: str, clock: HandClock
) -> None:
    clock.advance(3 * 24 * 3600.0)
    server.follow()
    assert leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE).headers["location"] == BYE


def test_person_who_confirms_is_sent_back_to_the_app_that_named_itself(app: App, signed_in: Visitor) -> None:
    page = leave(signed_in, client_id="orders-web", post_logout_redirect_uri=BYE, state=STATE)
    assert asks(page)
    assert "sent back to Orders" in page.text
    assert "form-action 'self' https://orders.example;" in page.headers["content-security-policy"]
    answer = confirmed(signed_in, page)
    assert answer.headers["location"] == f"{BYE}?{urlencode({'state': STATE})}"
    assert not is_signed_in(app, signed_in)


def test_hint_of_another_person_asks_first(
    server: Server, app: App, signed_in: Visitor, hint: str, make_visitor: Callable[..., Visitor]
) -> None:
    """A stolen ID token signs nobody else out; the person may still say yes."""
    add_account(server, "Bob")
    bob = make_visitor(server)
    bob.sign_in("bob", PASSWORD)
    page = leave(bob, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert asks(page)
    assert is_signed_in(app, bob)
    assert is_signed_in(app, signed_in)
    assert confirmed(bob, page).headers["location"] == BYE
    assert is_signed_in(app, signed_in)


def test_hint_of_an_earlier_session_asks_first(app: App, signed_in: Visitor, hint: str) -> None:
    signed_in.post("/logout", json={})
    signed_in.sign_in("alice", PASSWORD)
    assert asks(leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE))
    assert is_signed_in(app, signed_in)


def test_hint_of_another_app_is_believed_for_that_app_only(
    app: App, make_app: MakeApp, signed_in: Visitor, hint: str
) -> None:
    make_app(client_id="other", post_logout_redirect_uris=("https://other.example/bye",))
    there = "https://other.example/bye"
    assert asks(leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=there))
    for uri in (there, BYE, ""):
        said = {"id_token_hint": hint, "client_id": "other", "post_logout_redirect_uri": uri}
        assert asks(leave(signed_in, **said))
    assert is_signed_in(app, signed_in)


def test_access_token_is_no_hint(app: App, signed_in: Visitor) -> None:
    token = app.exchange(signed_in, app.code(signed_in)).json()["access_token"]
    assert asks(leave(signed_in, id_token_hint=token, post_logout_redirect_uri=BYE))


def test_disabled_app_sends_nobody_anywhere(server: Server, app: App, signed_in: Visitor, hint: str) -> None:
    parts = server.capabilities
    parts.database.write(lambda db: clients.change(db, "orders-web", disabled_at=parts.clock.now()))
    assert asks(leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE))


@pytest.mark.parametrize("state", ["x\r\ny", "x\x01", "x" * 2_001])
def test_strange_state_leads_nowhere(app: App, signed_in: Visitor, hint: str, state: str) -> None:
    assert asks(leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE, state=state))


def test_parameter_that_comes_twice_is_refused(app: App, signed_in: Visitor, hint: str) -> None:
    query = urlencode([("id_token_hint", hint), ("state", "a"), ("state", "b")])
    assert signed_in.get(f"/oauth2/logout?{query}").status_code == 400
    assert is_signed_in(app, signed_in)


# Nobody is signed in


def test_nobody_is_signed_in_and_a_hint_leads_back_all_the_same(
    app: App, signed_in: Visitor, hint: str
) -> None:
    signed_in.post("/logout", json={})
    answer = leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE, state="x")
    assert answer.headers["location"] == f"{BYE}?state=x"
    assert "set-cookie" not in answer.headers


def test_nobody_is_signed_in_and_without_a_hint_there_is_a_link_and_no_redirect(
    app: App, visitor: Visitor
) -> None:
    page = leave(visitor, client_id="orders-web", post_logout_redirect_uri=BYE)
    assert says_signed_out(page)
    assert "refresh" not in page.headers
    assert f'<a class="button primary" href="{BYE}">Continue to Orders</a>' in page.text


def test_nobody_is_signed_in_and_an_unknown_address_is_not_even_a_link(app: App, visitor: Visitor) -> None:
    page = leave(visitor, client_id="orders-web", post_logout_redirect_uri="https://evil.example/")
    assert says_signed_out(page)
    assert "evil.example" not in page.text.split("<footer>")[0]


# From other sites


def test_image_of_another_site_signs_nobody_out(app: App, signed_in: Visitor, hint: str) -> None:
    """No cookie comes along, whatever the address says; and no answer touches a cookie."""
    stranger = {"Cookie": "", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}
    for query in ({}, {"id_token_hint": hint}):
        answer = signed_in.get("/oauth2/logout", params=query, headers=stranger)
        assert "set-cookie" not in answer.headers
    assert is_signed_in(app, signed_in)


def test_link_of_another_site_without_a_hint_asks_first(app: App, signed_in: Visitor) -> None:
    """A navigation carries the cookie."""
    headers = {"Sec-Fetch-Site": "cross-site", "Accept": "text/html"}
    page = signed_in.get("/oauth2/logout", params={"client_id": "orders-web"}, headers=headers)
    assert asks(page)
    assert is_signed_in(app, signed_in)


def test_form_of_another_site_comes_back_by_a_get_with_the_cookie(
    app: App, signed_in: Visitor, hint: str
) -> None:
    fields = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": STATE}
    answer = signed_in.post(
        "/oauth2/logout", data=fields, headers={"Cookie": "", "Origin": "https://orders.example"}
    )
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/oauth2/logout?")
    assert is_signed_in(app, signed_in)
    answer = signed_in.get(answer.headers["location"])
    assert answer.headers["location"] == f"{BYE}?{urlencode({'state': STATE})}"
    assert not is_signed_in(app, signed_in)


def test_form_of_our_own_site_signs_out(app: App, signed_in: Visitor, hint: str) -> None:
    fields = {"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    assert signed_in.post("/oauth2/logout", data=fields).headers["location"] == BYE
    assert not is_signed_in(app, signed_in)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_confirmation_of_another_site_is_refused(
    app: App, signed_in: Visitor, headers: dict[str, str]
) -> None:
    page = leave(signed_in)
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert token
    assert signed_in.post(CONFIRM, data={"form_token": token[1]}, headers=headers).status_code == 403
    assert (
        signed_in.post(CONFIRM, data={"form_token": "guess"}, headers={"Origin": ISSUER}).status_code == 403
    )
    assert is_signed_in(app, signed_in)


def test_confirmation_leads_only_where_its_app_is_registered(app: App, signed_in: Visitor) -> None:
    page = leave(signed_in, client_id="orders-web", post_logout_redirect_uri=BYE)
    tampered = page.text.replace(BYE, "https://evil.example/")
    answer = confirmed(signed_in, httpx2.Response(200, text=tampered))
    assert says_signed_out(answer)
    assert "evil.example" not in answer.text.split("<footer>")[0]


# What ends with it


def test_cookies_are_cleared_and_the_refresh_token_is_dead(app: App, signed_in: Visitor) -> None:
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    answer = leave(signed_in, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE)
    assert signed_in.cookie("__Host-session") is None
    assert signed_in.cookie("__Host-access_token") is None
    assert answer.headers["clear-site-data"] == '"storage"'
    assert app.refresh(signed_in, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_page_speaks_the_language_that_the_app_asks_for(app: App, signed_in: Visitor) -> None:
    page = leave(signed_in, ui_locales="ko", logout_hint="alice")
    assert "로그아웃하시겠습니까?" in page.text
    assert f'action="{CONFIRM}?ui_locales=ko"' in page.text


def test_discovery_says_where_to_sign_out_and_what_apps_are_told(visitor: Visitor) -> None:
    offered = visitor.get("/.well-known/openid-configuration").json()
    assert offered["end_session_endpoint"] == f"{ISSUER}/oauth2/logout"
    for channel in ("backchannel", "frontchannel"):
        assert offered[f"{channel}_logout_supported"] is True
        assert offered[f"{channel}_logout_session_supported"] is True


# The front channel


def frames_of(page: httpx2.Response) -> list[str]:
    return [url.replace("&amp;", "&") for url in re.findall(r'<iframe hidden src="([^"]+)"', page.text)]


@pytest.fixture
def framed(make_app: MakeApp, signed_in: Visitor) -> App:
    """An app that Alice signed in to, and that wants a frame."""
    made = make_app(
        client_id="framed",
        post_logout_redirect_uris=(BYE,),
        frontchannel_logout_uri="https://framed.example:8443/logout?a=b",
        frontchannel_logout_session_required=True,
    )
    made.exchange(signed_in, made.code(signed_in))
    return made


def test_apps_of_the_session_are_framed_and_then_the_browser_goes_on(
    app: App, framed: App, make_app: MakeApp, signed_in: Visitor, hint: str
) -> None:
    make_app(client_id="unused", frontchannel_logout_uri="https://unused.example/logout")
    page = leave(signed_in, id_token_hint=hint, post_logout_redirect_uri=BYE, state="x")
    assert says_signed_out(page)
    [url] = frames_of(page)
    query = dict(parse_qsl(urlsplit(url).query))
    assert url.startswith("https://framed.example:8443/logout?a=b&")
    assert (query["iss"], query["sid"]) == (ISSUER, claims_of(hint)["sid"])
    assert page.headers["refresh"] == f"1;url={BYE}?state=x"
    assert page.headers["content-security-policy"].endswith("; frame-src https://framed.example:8443")
    assert not is_signed_in(app, signed_in)


def test_app_that_does_not_ask_for_the_session_is_not_told_which(
    server: Server, framed: App, signed_in: Visitor
) -> None:
    change = {"frontchannel_logout_session_required": False}
    server.capabilities.database.write(lambda db: clients.change(db, "framed", **change))
    page = confirmed(signed_in, leave(signed_in))
    assert frames_of(page) == ["https://framed.example:8443/logout?a=b"]


def test_signing_out_here_frames_the_apps_as_well(framed: App, signed_in: Visitor) -> None:
    page = signed_in.form("/account", "/logout", {})
    assert says_signed_out(page)
    assert len(frames_of(page)) == 1
    assert "frame-src https://framed.example:8443" in page.headers["content-security-policy"]


def test_other_pages_may_frame_nothing(framed: App, signed_in: Visitor) -> None:
    assert "frame-src" not in leave(signed_in).headers["content-security-policy"]
    assert "frame-src" not in signed_in.get("/signed-out").headers["content-security-policy"]
