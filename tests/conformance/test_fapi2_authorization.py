"""FAPI 2.0 Security Profile Final: discovery, sign-in, authorization requests and their pushing.

The generic modules of `fapi2-security-profile-final-test-plan`, variants private_key_jwt, dpop, plain_fapi,
openid_connect. Their other halves are in test_fapi2_token.py and test_fapi2_dpop.py.
"""

import itertools
import json

import httpx2
import pytest

from tests.conformance import judging
from tests.conformance.browser import Arrival, Browser
from tests.conformance.conftest import PROFILE
from tests.conformance.relying_party import CALLBACK, RelyingParty
from tests.oauth.reading import Later

SECURE = {"PS256", "ES256", "EdDSA", "Ed25519"}  # FAPI 2.0 §5.4


def refused_at_par(rp: RelyingParty, *allowed: str, **changes: str | None) -> None:
    judging.refused(rp.push(rp.request(**changes)), *allowed)


def test_fapi2_security_profile_final_discovery_end_point_verification(rp_bank: RelyingParty) -> None:
    """the discovery document → private_key_jwt, S256, PAR, DPoP, `iss` in responses, and algorithms of §5.4"""
    offered = rp_bank.metadata
    assert "private_key_jwt" in offered["token_endpoint_auth_methods_supported"]
    for use in ("token_endpoint_auth", "dpop", "id_token"):
        name = f"{use}_signing_alg_values_supported"
        assert SECURE & set(offered[name]), name
    assert "S256" in offered["code_challenge_methods_supported"]
    assert offered["authorization_response_iss_parameter_supported"] is True
    for endpoint in ("pushed_authorization_request_endpoint", "token_endpoint", "authorization_endpoint"):
        assert offered[endpoint].startswith("https://")
    rp_bank.keys()


def test_fapi2_security_profile_final_happy_flow(
    rp_bank: RelyingParty, rp_shop: RelyingParty, browser: Browser
) -> None:
    """pushed request, sign-in, code, tokens with two clients → all valid, and the resource answers both"""
    first, second = rp_bank.sign_in(browser), rp_shop.sign_in(browser)
    assert rp_bank.userinfo(first)["sub"] == rp_shop.userinfo(second)["sub"]


def test_fapi2_security_profile_final_user_rejects_authentication(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """the person does not allow it → `access_denied`, with `state` and `iss`"""
    browser.allows = False
    assert rp_bank.answered(browser, prompt="consent")["error"] == "access_denied"


def test_fapi2_security_profile_final_ensure_authorization_request_without_state_success(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """no `state` → success, no `state` comes back"""
    assert set(rp_bank.answered(browser, state=None)) == {"code", "iss"}


def test_fapi2_security_profile_final_ensure_authorization_request_without_nonce_success(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """no `nonce` → success, none in the ID token"""
    assert "nonce" not in rp_bank.sign_in(browser, nonce=None).claims


def test_fapi2_security_profile_final_ensure_authorization_request_with_64_char_nonce_success(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """a `nonce` of 64 characters → the same in the ID token"""
    assert rp_bank.sign_in(browser, nonce="n" * 64).claims["nonce"] == "n" * 64


def test_fapi2_security_profile_final_ensure_authorization_request_with_long_nonce(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """a `nonce` of 384 characters → the same in the ID token, not one less"""
    assert rp_bank.sign_in(browser, nonce="n" * 384).claims["nonce"] == "n" * 384


def test_fapi2_security_profile_final_ensure_authorization_request_with_long_state(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """a `state` of 1000 characters → the same, not one less"""
    assert rp_bank.answered(browser, state="s" * 1_000)["state"] == "s" * 1_000


def test_fapi2_security_profile_final_ensure_other_scope_order_succeeds(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """scopes in another order → success"""
    rp_bank.sign_in(browser, scope="email openid")


def test_fapi2_security_profile_final_test_claims_parameter_identity_claims(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`claims`: all that are offered, in every form, and some that nobody knows → those that there are, in both places"""
    forms = itertools.cycle((None, {"essential": True}, {"essential": False}))
    asked = dict(zip([*PROFILE, "name", "unknown-claim"], forms, strict=False))
    flow = rp_bank.sign_in(browser, claims=json.dumps({"userinfo": asked, "id_token": asked}))
    told = {**PROFILE, "name": "Alice"}
    assert {name: flow.claims.get(name) for name in asked} == {**told, "unknown-claim": None}
    assert rp_bank.userinfo(flow) == {"sub": flow.claims["sub"], **told}


def test_fapi2_security_profile_final_ensure_different_nonce_inside_and_outside_request_object(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """another `nonce` in the browser's URL than was pushed → the pushed one counts"""
    sent = rp_bank.request()
    carried = {**rp_bank.start(sent), "nonce": "of-the-browser"}
    arrival = browser.open(rp_bank.metadata["authorization_endpoint"], carried)
    flow = rp_bank.flow(sent, rp_bank.arrived(arrival, sent))
    assert rp_bank.redeemed(flow).claims["nonce"] == sent["nonce"]


def test_fapi2_security_profile_final_ensure_different_state_inside_and_outside_request_object(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """another `state` in the browser's URL than was pushed → the pushed one comes back"""
    sent = rp_bank.request()
    carried = {**rp_bank.start(sent), "state": "of-the-browser"}
    rp_bank.arrived(browser.open(rp_bank.metadata["authorization_endpoint"], carried), sent)


def test_fapi2_security_profile_final_state_only_outside_request_object_not_used(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`state` only in the browser's URL → none comes back"""
    sent = rp_bank.request(state=None)
    carried = {**rp_bank.start(sent), "state": "of-the-browser"}
    arrival = browser.open(rp_bank.metadata["authorization_endpoint"], carried)
    assert "state" not in rp_bank.arrived(arrival, sent)


def test_fapi2_security_profile_final_ensure_request_object_without_redirect_uri_fails(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`redirect_uri` only in the browser's URL → refused when it is pushed"""
    refused_at_par(rp_bank, "invalid_request", redirect_uri=None)
    sent = rp_bank.request()
    assert browser.is_refused(
        browser.open(
            rp_bank.metadata["authorization_endpoint"],
            {
                "client_id": rp_bank.client_id,
                "request_uri": "urn:ietf:params:oauth:request_uri:none",
                "redirect_uri": sent["redirect_uri"],
            },
        )
    )


def test_fapi2_security_profile_final_ensure_redirect_uri_in_authorization_request(
    rp_bank: RelyingParty,
) -> None:
    """no `redirect_uri`, one being registered → `invalid_request`"""
    refused_at_par(rp_bank, "invalid_request", redirect_uri=None)


def test_fapi2_security_profile_final_ensure_registered_redirect_uri(rp_bank: RelyingParty) -> None:
    """a `redirect_uri` that is not registered → `invalid_request`"""
    refused_at_par(rp_bank, "invalid_request", redirect_uri=f"{CALLBACK}/other")


def test_fapi2_security_profile_final_plain_fapi_tolerate_unregistered_redirect_uri(
    rp_bank: RelyingParty,
) -> None:
    """a `redirect_uri` that is not registered, which a server may take when it is pushed → ours does not"""
    refused_at_par(rp_bank, "invalid_request", redirect_uri=f"{CALLBACK}?query=added")


def test_fapi2_security_profile_final_ensure_unsigned_authorization_request_without_using_par_fails(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """the whole request in the browser's URL → `invalid_request`"""
    sent = rp_bank.request()
    arrival = browser.open(rp_bank.metadata["authorization_endpoint"], sent)
    assert rp_bank.arrived(arrival, sent)["error"] == "invalid_request"


def test_fapi2_security_profile_final_ensure_response_type_code_idtoken_fails(rp_bank: RelyingParty) -> None:
    """`response_type=code id_token` → refused when it is pushed"""
    refused_at_par(rp_bank, "unsupported_response_type", "invalid_request", response_type="code id_token")


def test_fapi2_security_profile_final_ensure_response_type_token_fails(rp_bank: RelyingParty) -> None:
    """`response_type=token` → refused when it is pushed"""
    refused_at_par(rp_bank, "unsupported_response_type", "invalid_request", response_type="token")


def test_fapi2_security_profile_final_par_ensure_reused_request_uri_prior_to_auth_completion_succeeds(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """the URL is opened twice before anybody signs in → the second visit succeeds"""
    sent = rp_bank.request()
    carried = rp_bank.start(sent)
    browser.signs_in = False
    assert isinstance(browser.open(rp_bank.metadata["authorization_endpoint"], carried), httpx2.Response)
    browser.signs_in = True
    arrival = browser.open(rp_bank.metadata["authorization_endpoint"], carried)
    assert "code" in rp_bank.arrived(arrival, sent)


def test_fapi2_security_profile_final_par_attempt_reuse_request_uri(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """the URL is opened again after it was answered → an error page, no second code"""
    carried = rp_bank.start(rp_bank.request())
    assert isinstance(browser.open(rp_bank.metadata["authorization_endpoint"], carried), Arrival)
    assert browser.is_refused(browser.open(rp_bank.metadata["authorization_endpoint"], carried))


def test_fapi2_security_profile_final_par_attempt_to_use_expired_request_uri(
    rp_bank: RelyingParty, browser: Browser, later: Later
) -> None:
    """the URL is opened after `expires_in` → an error page"""
    pushed = rp_bank.push(rp_bank.request()).json()
    later(pushed["expires_in"] + 1)
    carried = {"client_id": rp_bank.client_id, "request_uri": pushed["request_uri"]}
    assert browser.is_refused(browser.open(rp_bank.metadata["authorization_endpoint"], carried))


def test_fapi2_security_profile_final_par_attempt_to_use_request_uri_for_different_client(
    rp_bank: RelyingParty, rp_shop: RelyingParty, browser: Browser
) -> None:
    """the `request_uri` of one client with the `client_id` of another → an error page"""
    carried = {**rp_bank.start(rp_bank.request()), "client_id": rp_shop.client_id}
    assert browser.is_refused(browser.open(rp_bank.metadata["authorization_endpoint"], carried))


def test_fapi2_security_profile_final_par_authorization_request_containing_request_uri_form_param(
    rp_bank: RelyingParty,
) -> None:
    """`request_uri` in a request that is pushed, our own or another → refused"""
    own = rp_bank.start(rp_bank.request())["request_uri"]
    for uri in (own, "https://rp.example/request.jwt"):
        refused_at_par(rp_bank, "invalid_request", "request_uri_not_supported", request_uri=uri)


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_fapi2_security_profile_final_par_attempt_invalid_http_method(
    rp_bank: RelyingParty, method: str
) -> None:
    """GET, PUT instead of POST → 405"""
    url = rp_bank.metadata["pushed_authorization_request_endpoint"]
    fields = {**rp_bank.request(), **rp_bank.credentials.fields()}
    assert rp_bank.http.request(method, url, params=fields).status_code == 405


def test_fapi2_security_profile_final_par_without_duplicate_parameters(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """only `client_id` and `request_uri` in the browser's URL → success"""
    sent = rp_bank.request()
    carried = rp_bank.start(sent)
    assert set(carried) == {"client_id", "request_uri"}
    arrival = browser.open(rp_bank.metadata["authorization_endpoint"], carried)
    rp_bank.redeemed(rp_bank.flow(sent, rp_bank.arrived(arrival, sent)))


def test_fapi2_security_profile_final_par_ensure_pkce_required(rp_bank: RelyingParty) -> None:
    """no `code_challenge` → `invalid_request`"""
    refused_at_par(rp_bank, "invalid_request", code_challenge=None, code_challenge_method=None)


def test_fapi2_security_profile_final_par_plain_pkce_rejected(rp_bank: RelyingParty) -> None:
    """`code_challenge_method=plain` → `invalid_request`"""
    refused_at_par(rp_bank, "invalid_request", code_challenge_method="plain")
