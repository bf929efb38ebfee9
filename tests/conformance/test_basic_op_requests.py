"""Basic OP and Form Post OP: what a request may ask for, and how often a code is good; see test_basic_op.py."""

import json

from tests.conformance import judging
from tests.conformance.browser import Arrival, Browser, Reader
from tests.conformance.relying_party import CALLBACK, PKCE, RelyingParty
from tests.oauth.reading import Later
from tests.resource import forge


def request_object(**claims: str) -> str:
    """A request object that nobody signed."""
    head, body = (forge.b64(json.dumps(part).encode()) for part in ({"alg": "none"}, {"iss": "rp", **claims}))
    return f"{head}.{body}."


def test_oidcc_display_page(rp: RelyingParty, browser: Browser) -> None:
    """`display=page` → no error"""
    rp.sign_in(browser, display="page")


def test_oidcc_display_popup(rp: RelyingParty, browser: Browser) -> None:
    """`display=popup` → no error"""
    rp.sign_in(browser, display="popup")


def test_oidcc_prompt_login(rp: RelyingParty, browser: Browser, later: Later) -> None:
    """a second request with `prompt=login` → the sign-in page again, and a later `auth_time`"""
    first = rp.sign_in(browser)
    later(2)
    browser.pages.clear()
    second = rp.sign_in(browser, prompt="login")
    assert browser.asked_for == ["/login"]
    assert second.claims["sub"] == first.claims["sub"]
    assert second.claims["auth_time"] > first.claims["auth_time"]


def test_oidcc_prompt_none_not_logged_in(rp: RelyingParty, browser: Browser) -> None:
    """`prompt=none`, nobody signed in → an error at once, that says that a page was needed"""
    assert rp.answered(browser, prompt="none")["error"] in judging.NEEDS_A_PAGE
    assert browser.pages == []


def test_oidcc_prompt_none_logged_in(rp: RelyingParty, browser: Browser, later: Later) -> None:
    """`prompt=none` after a sign-in → success without a page, the same `sub` and `auth_time`"""
    first = rp.sign_in(browser)
    later(2)
    browser.pages.clear()
    second = rp.sign_in(browser, prompt="none")
    assert browser.pages == []
    assert (second.claims["sub"], second.claims["auth_time"]) == (
        first.claims["sub"],
        first.claims["auth_time"],
    )


def test_oidcc_max_age_1(rp: RelyingParty, browser: Browser, later: Later) -> None:
    """`max_age=1` two seconds later → the sign-in page again, and a later `auth_time`"""
    first = rp.sign_in(browser)
    later(2)
    browser.pages.clear()
    second = rp.sign_in(browser, max_age="1")
    assert browser.asked_for == ["/login"]
    assert second.claims["auth_time"] > first.claims["auth_time"]


def test_oidcc_max_age_10000(rp: RelyingParty, browser: Browser, later: Later) -> None:
    """`max_age=10000` → no page, the same `auth_time`"""
    first = rp.sign_in(browser, max_age="10000")
    later(2)
    browser.pages.clear()
    second = rp.sign_in(browser, max_age="10000")
    assert browser.pages == []
    assert second.claims["auth_time"] == first.claims["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(rp: RelyingParty, browser: Browser) -> None:
    """`extra=foobar` → ignored"""
    rp.sign_in(browser, extra="foobar")


def test_oidcc_id_token_hint(rp: RelyingParty, browser: Browser) -> None:
    """`prompt=none` with the ID token as `id_token_hint` → success at once, the same `sub`"""
    first = rp.sign_in(browser)
    browser.pages.clear()
    second = rp.sign_in(browser, prompt="none", id_token_hint=first.tokens["id_token"])
    assert browser.pages == []
    assert second.claims["sub"] == first.claims["sub"]


def test_oidcc_login_hint(rp: RelyingParty, browser: Browser) -> None:
    """`login_hint=bob@example.com` → no error; the sign-in page begins with it"""
    browser.signs_in = False
    assert not isinstance(rp.authorize(browser, login_hint="bob@example.com"), Arrival)
    assert browser.pages[0].fields["username"] == "bob@example.com"
    browser.signs_in = True
    rp.sign_in(browser, login_hint="bob@example.com")


def test_oidcc_ui_locales(rp: RelyingParty, browser: Browser) -> None:
    """`ui_locales=ko` → no error; the sign-in page is in Korean"""
    browser.signs_in = False
    rp.authorize(browser, ui_locales="ko")
    assert Reader(browser.last.text).language == "ko"
    browser.signs_in = True
    rp.sign_in(browser, ui_locales="se ko")


def test_oidcc_claims_locales(rp: RelyingParty, browser: Browser) -> None:
    """`claims_locales=se` → no error"""
    rp.sign_in(browser, claims_locales="se")


def test_oidcc_ensure_request_with_acr_values_succeeds(rp: RelyingParty, browser: Browser) -> None:
    """`acr_values` that are offered, and that are not → no error, `acr` says what was done"""
    offered = " ".join(rp.metadata["acr_values_supported"])
    assert rp.sign_in(browser, acr_values=offered).claims["acr"] in offered.split()
    assert rp.sign_in(browser, acr_values="urn:unknown").claims["acr"] in offered.split()


def test_oidcc_codereuse(rp: RelyingParty, browser: Browser) -> None:
    """the same code again → `invalid_grant`"""
    flow = rp.sign_in(browser)
    judging.refused(rp.redeem(flow), "invalid_grant")


def test_oidcc_codereuse_30seconds(rp: RelyingParty, browser: Browser, later: Later) -> None:
    """the same code after 30 s → `invalid_grant`, and the first access token is worth nothing"""
    flow = rp.sign_in(browser)
    later(30)
    judging.refused(rp.redeem(flow), "invalid_grant")
    later(1)
    assert rp.ask_userinfo(flow).status_code == 401


def test_oidcc_ensure_registered_redirect_uri(rp: RelyingParty, browser: Browser) -> None:
    """a `redirect_uri` that is not registered → an error page, no redirect"""
    assert browser.is_refused(rp.authorize(browser, redirect_uri=f"{CALLBACK}/other"))


def test_oidcc_ensure_post_request_succeeds(rp: RelyingParty, browser: Browser) -> None:
    """POST from another site to the authorization endpoint → as by GET, single sign-on included"""
    rp.sign_in(browser)
    browser.pages.clear()
    sent = rp.request()
    arrival = browser.post_from_another_site(rp.metadata["authorization_endpoint"], sent)
    assert "code" in rp.arrived(arrival, sent)
    assert browser.pages == []


def test_oidcc_server_client_secret_post(rp_post: RelyingParty, browser: Browser) -> None:
    """client_secret_post → as with client_secret_basic"""
    rp_post.userinfo(rp_post.sign_in(browser))


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    rp: RelyingParty, browser: Browser
) -> None:
    """`request_uri` of an unsigned request object → `request_uri_not_supported`, as discovery says"""
    assert rp.metadata["request_uri_parameter_supported"] is False
    answer = rp.answered(browser, request_uri="https://rp.example/request.jwt")
    assert answer["error"] == "request_uri_not_supported"


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    rp: RelyingParty, browser: Browser
) -> None:
    """`request`, unsigned, with a `state` of its own → `request_not_supported`, as discovery says"""
    assert rp.metadata["request_parameter_supported"] is False
    answer = rp.answered(browser, request=request_object(state="inside"))
    assert answer["error"] == "request_not_supported"


def test_oidcc_claims_essential(rp: RelyingParty, browser: Browser) -> None:
    """`claims`: `name` is essential at UserInfo → success, and `name` is there"""
    claims = json.dumps({"userinfo": {"name": {"essential": True}}})
    told = rp.userinfo(rp.sign_in(browser, claims=claims))
    assert told == {"sub": told["sub"], "name": "Alice"}


def test_oidcc_ensure_request_object_with_redirect_uri(rp: RelyingParty, browser: Browser) -> None:
    """the registered `redirect_uri` inside a request object, another outside → an error page"""
    inside = request_object(redirect_uri=CALLBACK)
    assert browser.is_refused(rp.authorize(browser, request=inside, redirect_uri=f"{CALLBACK}/other"))


def test_oidcc_refresh_token(rp: RelyingParty, rp2: RelyingParty, browser: Browser) -> None:
    """refresh → new tokens for the same person; the same token from a second client → `invalid_grant`"""
    flow = rp.sign_in(browser, scope="openid offline_access", prompt="consent")
    tokens = judging.token_response(rp.refresh(flow.tokens["refresh_token"]))
    claims = rp.id_token(tokens, None)
    assert {claims[name] == flow.claims[name] for name in ("iss", "sub", "aud", "auth_time")} == {True}
    judging.refused(rp2.refresh(tokens["refresh_token"]), "invalid_grant")
    judging.token_response(rp.refresh(tokens["refresh_token"]))


def test_oidcc_ensure_request_with_valid_pkce_succeeds(rp: RelyingParty, browser: Browser) -> None:
    """PKCE with S256 → as without"""
    rp.sign_in(browser, **PKCE)
