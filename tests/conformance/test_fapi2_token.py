"""FAPI 2.0 Security Profile Final: client assertions, codes, PKCE verifiers and refresh tokens."""

from typing import Any

import pytest

from tests.conformance import judging
from tests.conformance.browser import Browser
from tests.conformance.credentials import ByAssertion, sent
from tests.conformance.fapi import assertion
from tests.conformance.relying_party import CALLBACK, RelyingParty
from tests.conftest import ISSUER
from tests.oauth.reading import Later

REFUSED = ("invalid_client", "invalid_request")


def in_seconds(rp: RelyingParty, seconds: int) -> int:
    return int(rp.clock.now().timestamp()) + seconds


def pushed_with(rp: RelyingParty, unverified_assertion: str, *allowed: str) -> None:
    """A pushed request with this assertion is refused."""
    judging.refused(rp.push(rp.request(), credentials=sent(unverified_assertion)), *(allowed or REFUSED))


def redeemed_with(rp: RelyingParty, browser: Browser, credentials: dict[str, str]) -> None:
    """A code is not exchanged with these credentials; afterwards it is with the right ones."""
    flow = rp.code(browser)
    judging.refused(rp.redeem(flow, credentials=credentials), *REFUSED)
    rp.redeemed(flow)


def test_fapi2_security_profile_final_ensure_client_id_in_token_endpoint(
    rp_bank: RelyingParty, rp_shop: RelyingParty, browser: Browser
) -> None:
    """the second client's `client_id` and assertion, signed with the first one's key → `invalid_client`"""
    assert isinstance(rp_bank.credentials, ByAssertion)
    own, alg = rp_bank.credentials.key, rp_bank.credentials.alg
    mixed = ByAssertion(rp_shop.client_id, own, alg, ISSUER, rp_bank.clock)
    credentials = {**mixed.fields(), "client_id": rp_shop.client_id}
    judging.refused(
        rp_bank.redeem(rp_bank.code(browser), credentials=credentials), "invalid_client", "invalid_grant"
    )


def test_fapi2_security_profile_final_ensure_authorization_code_is_bound_to_client(
    rp_bank: RelyingParty, rp_shop: RelyingParty, browser: Browser
) -> None:
    """one client's code, exchanged by another → `invalid_grant`"""
    flow = rp_bank.code(browser)
    judging.refused(rp_shop.redeem(flow), "invalid_grant")
    rp_bank.redeemed(flow)


def test_fapi2_security_profile_final_attempt_reuse_authorization_code_after_one_second(
    rp_bank: RelyingParty, browser: Browser, later: Later
) -> None:
    """the same code after a second → `invalid_grant`, and the access token is worth nothing"""
    flow = rp_bank.sign_in(browser)
    later(1)
    judging.refused(rp_bank.redeem(flow), "invalid_grant")
    later(1)
    assert rp_bank.ask_userinfo(flow).status_code == 401


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_expired_auth_code(
    rp_bank: RelyingParty, browser: Browser, later: Later
) -> None:
    """a code that is 60 s old → `invalid_grant`"""
    flow = rp_bank.code(browser)
    later(60)
    judging.refused(rp_bank.redeem(flow), "invalid_grant")


def test_fapi2_security_profile_final_ensure_signed_client_assertion_with_rs256_fails(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """an assertion signed with RS256, by the right key → `invalid_client`"""
    redeemed_with(rp_bank, browser, sent(assertion(rp_bank, {"alg": "RS256"}, "RS256")))


def test_fapi2_security_profile_final_ensure_client_assertion_in_token_endpoint(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """no assertion, `client_id` alone → `invalid_client`"""
    redeemed_with(rp_bank, browser, {"client_id": rp_bank.client_id})


def test_fapi2_security_profile_final_ensure_client_assertion_with_exp_is_5_minutes_in_past_fails(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`exp` five minutes ago → `invalid_client`"""
    redeemed_with(rp_bank, browser, sent(assertion(rp_bank, exp=in_seconds(rp_bank, -300))))


def test_fapi2_security_profile_final_ensure_client_assertion_with_wrong_aud_fails(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`aud` is another server → `invalid_client`"""
    redeemed_with(rp_bank, browser, sent(assertion(rp_bank, aud="https://other.example")))


def test_fapi2_security_profile_final_ensure_client_assertion_with_no_sub_fails(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """no `sub` → `invalid_client`"""
    redeemed_with(rp_bank, browser, sent(assertion(rp_bank, sub=None)))


SPOILED: dict[str, dict[str, Any]] = {
    "sub missing": {"sub": None},
    "sub wrong": {"sub": "shop"},
    "iss missing": {"iss": None},
    "iss wrong": {"iss": "shop"},
    "aud missing": {"aud": None},
    "aud unrelated": {"aud": "https://other.example"},
    "aud is PAR": {"aud": f"{ISSUER}/oauth2/par"},
    "aud is token endpoint": {"aud": f"{ISSUER}/oauth2/token"},
    "aud is an array": {"aud": [ISSUER, "https://other.example"]},
    "exp is over": {"exp": 1},
    "exp missing": {"exp": None},
    "jti missing": {"jti": None},
    "alg RS256": {"head": {"alg": "RS256"}, "alg": "RS256"},
    "alg none": {"head": {"alg": "none"}},
    "signature of another algorithm": {"alg": "RS256"},
}


@pytest.mark.parametrize("cause", SPOILED)
def test_fapi2_security_profile_final_ensure_invalid_client_assertions_fail(
    rp_bank: RelyingParty, cause: str
) -> None:
    """an assertion that is wrong in one way, and one that is right → `invalid_client` for the first, 201 for the second"""
    pushed_with(rp_bank, assertion(rp_bank, **SPOILED[cause]))
    rp_bank.start(rp_bank.request())


def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted(
    rp_bank: RelyingParty,
) -> None:
    """`iat` and `nbf` eight seconds ahead → 201"""
    ahead = in_seconds(rp_bank, 8)
    early = assertion(rp_bank, iat=ahead, nbf=ahead, exp=ahead + 60)
    assert rp_bank.push(rp_bank.request(), credentials=sent(early)).status_code == 201


def test_fapi2_security_profile_final_par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails(
    rp_bank: RelyingParty,
) -> None:
    """`iat` and `nbf` more than a minute ahead → `invalid_client`"""
    ahead = in_seconds(rp_bank, 61)
    pushed_with(rp_bank, assertion(rp_bank, iat=ahead, nbf=ahead, exp=ahead + 60))
    pushed_with(rp_bank, assertion(rp_bank, nbf=ahead, exp=ahead + 60))


def test_fapi2_security_profile_final_par_test_array_as_audience_fails(rp_bank: RelyingParty) -> None:
    """`aud` is an array, with the issuer in it and alone in it → `invalid_client`"""
    pushed_with(rp_bank, assertion(rp_bank, aud=[ISSUER, "https://other.example"]))
    pushed_with(rp_bank, assertion(rp_bank, aud=[ISSUER]))


def test_fapi2_security_profile_final_par_test_par_endpoint_url_as_audience_fails(
    rp_bank: RelyingParty,
) -> None:
    """`aud` is the PAR endpoint → `invalid_client`"""
    pushed_with(rp_bank, assertion(rp_bank, aud=rp_bank.metadata["pushed_authorization_request_endpoint"]))


def test_fapi2_security_profile_final_par_test_token_endpoint_url_as_audience_fails(
    rp_bank: RelyingParty,
) -> None:
    """`aud` is the token endpoint → `invalid_client`"""
    pushed_with(rp_bank, assertion(rp_bank, aud=rp_bank.metadata["token_endpoint"]))


def test_fapi2_security_profile_final_ensure_pkce_code_verifier_required(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """no `code_verifier` → `invalid_grant`"""
    flow = rp_bank.code(browser)
    fields = {"grant_type": "authorization_code", "code": flow.code, "redirect_uri": CALLBACK}
    judging.refused(rp_bank.call("token_endpoint", fields), "invalid_grant", "invalid_request")


def test_fapi2_security_profile_final_incorrect_pkce_code_verifier_rejected(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """another `code_verifier` → `invalid_grant`"""
    flow = rp_bank.code(browser)
    fields = {"grant_type": "authorization_code", "code": flow.code, "redirect_uri": CALLBACK}
    wrong = {**fields, "code_verifier": "another-verifier-of-43-characters-or-more-0123456789"}
    judging.refused(rp_bank.call("token_endpoint", wrong), "invalid_grant")


def test_fapi2_security_profile_final_refresh_token(
    rp_bank: RelyingParty, rp_shop: RelyingParty, browser: Browser, later: Later
) -> None:
    """refresh → the same token goes on for 30 s and more; without proof, without assertion, by the other client → refused"""
    scope = {"scope": "openid offline_access", "prompt": "consent"}
    flow, others = rp_bank.sign_in(browser, **scope), rp_shop.sign_in(browser, **scope)
    token = str(flow.tokens["refresh_token"])
    for _ in range(2):
        tokens = judging.token_response(rp_bank.refresh(token))
        assert rp_bank.id_token(tokens, None)["sub"] == flow.claims["sub"]
        assert tokens["refresh_token"] == token
        later(31)
    judging.refused(rp_bank.refresh(token, proofs=()), "invalid_request", "invalid_grant", "invalid_client")
    judging.refused(rp_bank.refresh(token, credentials={"client_id": rp_bank.client_id}), "invalid_client")
    judging.refused(rp_bank.refresh(str(others.tokens["refresh_token"])), "invalid_grant")
    judging.token_response(rp_bank.refresh(token))
