"""Basic OP and Form Post OP: tokens, UserInfo and scopes, of `oidcc-basic-certification-test-plan`.

Each with both response modes: `oidcc-formpost-basic-certification-test-plan` is the same list with
`response_mode=form_post`. The modules about what a request may ask for are in test_basic_op_requests.py.
"""

import pytest
from joserfc import jws

from tests.conformance import judging
from tests.conformance.browser import Browser
from tests.conformance.conftest import PROFILE, REGISTRATION, SCOPES
from tests.conformance.relying_party import Register, RelyingParty


def test_oidcc_server(rp: RelyingParty, browser: Browser) -> None:
    """a plain sign-in → code, tokens, a valid ID token; UserInfo 200 with the same `sub`"""
    flow = rp.sign_in(browser)
    assert browser.asked_for[0] == "/login"
    assert set(rp.userinfo(flow)) == {"sub"}


def test_oidcc_response_type_missing(rp: RelyingParty, browser: Browser) -> None:
    """no `response_type` → `invalid_request` or `unsupported_response_type`"""
    answer = rp.answered(browser, response_type=None)
    assert answer["error"] in {"invalid_request", "unsupported_response_type"}


def test_oidcc_idtoken_signature(rp: RelyingParty, browser: Browser) -> None:
    """a client that registered no algorithm → the ID token is signed with RS256 by a published key, named by `kid`"""
    flow = rp.sign_in(browser)
    header = jws.extract_compact(flow.tokens["id_token"].encode()).headers()
    assert header["alg"] == "RS256"
    assert header["kid"] in judging.kids(rp.keys())


def test_oidcc_idtoken_unsigned(rp: RelyingParty, register: Register) -> None:
    """`id_token_signed_response_alg: none` → not offered in discovery, and no client can register it"""
    assert "none" not in rp.metadata["id_token_signing_alg_values_supported"]
    with pytest.raises(AssertionError, match="id_token_signed_response_alg"):
        register("unsigned", {**REGISTRATION, "id_token_signed_response_alg": "none"})


def test_oidcc_userinfo_get(rp: RelyingParty, browser: Browser) -> None:
    """GET UserInfo, token in the header → 200, the same `sub`"""
    flow = rp.sign_in(browser)
    rp.told(flow, rp.ask_userinfo(flow, "GET"))


def test_oidcc_userinfo_post_header(rp: RelyingParty, browser: Browser) -> None:
    """POST UserInfo, token in the header → 200, the same `sub`"""
    flow = rp.sign_in(browser)
    rp.told(flow, rp.ask_userinfo(flow, "POST"))


def test_oidcc_userinfo_post_body(rp: RelyingParty, browser: Browser) -> None:
    """POST UserInfo, token in the form → 200, the same `sub`"""
    flow = rp.sign_in(browser)
    rp.told(flow, rp.http.post(rp.metadata["userinfo_endpoint"], data={"access_token": flow.access_token}))


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(
    rp: RelyingParty, browser: Browser
) -> None:
    """no `nonce` → a code; no `nonce` in the ID token"""
    assert "nonce" not in rp.sign_in(browser, nonce=None).claims


def test_oidcc_scope_profile(rp: RelyingParty, browser: Browser) -> None:
    """`scope=openid profile` → UserInfo has the profile's claims, and no others"""
    told = rp.userinfo(rp.sign_in(browser, scope="openid profile"))
    assert (told["name"], told["given_name"], told["family_name"]) == ("Alice", "Alice", "Kim")
    assert isinstance(told["updated_at"], int)
    assert not set(told) & {"email", "address", "phone_number"}


def test_oidcc_scope_email(rp: RelyingParty, browser: Browser) -> None:
    """`scope=openid email` → `email` and `email_verified`"""
    told = rp.userinfo(rp.sign_in(browser, scope="openid email"))
    assert told == {"sub": told["sub"], "email": PROFILE["email"], "email_verified": True}


def test_oidcc_scope_address(rp: RelyingParty, browser: Browser) -> None:
    """`scope=openid address` → `address`, an object"""
    told = rp.userinfo(rp.sign_in(browser, scope="openid address"))
    assert told == {"sub": told["sub"], "address": PROFILE["address"]}


def test_oidcc_scope_phone(rp: RelyingParty, browser: Browser) -> None:
    """`scope=openid phone` → `phone_number` and `phone_number_verified`"""
    told = rp.userinfo(rp.sign_in(browser, scope="openid phone"))
    assert told == {
        "sub": told["sub"],
        "phone_number": PROFILE["phone_number"],
        "phone_number_verified": True,
    }


def test_oidcc_scope_all(rp: RelyingParty, browser: Browser) -> None:
    """all four scopes → the claims of all four"""
    told = rp.userinfo(rp.sign_in(browser, scope=SCOPES))
    assert {"name", "email", "address", "phone_number"} <= set(told)


def test_oidcc_alternate_happy_flow(rp: RelyingParty, browser: Browser) -> None:
    """scopes and parameters in another order → as before"""
    sent = dict(reversed(rp.request(scope="email openid").items()))
    arrival = browser.open(rp.metadata["authorization_endpoint"], sent)
    assert "code" in rp.arrived(arrival, sent)
