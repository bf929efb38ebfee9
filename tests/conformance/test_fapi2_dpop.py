"""FAPI 2.0 Security Profile Final: proofs of possession at the token endpoint, at PAR and at a resource (RFC 9449)."""

import dataclasses
from typing import Any

import pytest

from tests.conformance import judging, spoiled_proofs
from tests.conformance.browser import Browser
from tests.conformance.relying_party import Flow, RelyingParty
from tests.resource import prover

MISMATCH = ("invalid_request", "invalid_grant", "invalid_dpop_proof")


def with_other_key(rp: RelyingParty, endpoint: str) -> tuple[str, ...]:
    return (rp.proof(rp.metadata[endpoint], key=prover.OTHER_KEY),)


def redeemed_from_another_clock(rp: RelyingParty, browser: Browser, seconds: int) -> None:
    """Exchange a code, and ask a resource, with proofs of a clock that is fast or slow."""
    iat = int(rp.clock.now().timestamp()) + seconds
    flow = rp.code(browser)
    proofs = (rp.proof(rp.metadata["token_endpoint"], iat=iat),)
    flow.tokens = judging.token_response(rp.redeem(flow, proofs=proofs))
    url = rp.metadata["userinfo_endpoint"]
    proofs = (rp.proof(url, "GET", token=flow.access_token, iat=iat),)
    assert rp.ask_userinfo(flow, proofs=proofs).status_code == 200


def bound(rp: RelyingParty, browser: Browser, proofs: tuple[str, ...] = (), **changes: str) -> Flow:
    """A code whose request was pushed with these proofs."""
    sent = rp.request(**changes)
    pushed = rp.push(sent, proofs=proofs)
    assert pushed.status_code == 201, pushed.text
    carried = {"client_id": rp.client_id, "request_uri": pushed.json()["request_uri"]}
    return rp.flow(sent, rp.arrived(browser.open(rp.metadata["authorization_endpoint"], carried), sent))


def test_fapi2_security_profile_final_access_token_type_header_case_sensitivity(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`Authorization: dpop …`, `DPOP …` → as `DPoP …`"""
    flow = rp_bank.sign_in(browser)
    for scheme in ("DPoP", "dpop", "DPOP", "dPoP"):
        assert rp_bank.ask_userinfo(flow, scheme=scheme).status_code == 200


def test_fapi2_security_profile_final_check_dpop_proof_nbf_exp(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """proofs with `nbf` now and `exp` in five minutes → accepted by token endpoint and resource"""
    now = int(rp_bank.clock.now().timestamp())
    flow = rp_bank.code(browser)
    times: dict[str, Any] = {"nbf": now, "exp": now + 300}
    proofs = (rp_bank.proof(rp_bank.metadata["token_endpoint"], **times),)
    flow.tokens = judging.token_response(rp_bank.redeem(flow, proofs=proofs))
    url = rp_bank.metadata["userinfo_endpoint"]
    proofs = (rp_bank.proof(url, "GET", token=flow.access_token, **times),)
    assert rp_bank.ask_userinfo(flow, proofs=proofs).status_code == 200


def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_before_succeeds(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`iat` ten seconds ago → accepted by token endpoint and resource"""
    redeemed_from_another_clock(rp_bank, browser, -10)


def test_fapi2_security_profile_final_ensure_dpopproof_with_iat_10seconds_after_succeeds(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`iat` ten seconds ahead → accepted by token endpoint and resource"""
    redeemed_from_another_clock(rp_bank, browser, 10)


def test_fapi2_security_profile_final_ensure_mismatched_dpop_jkt_fails(rp_bank: RelyingParty) -> None:
    """`dpop_jkt` of another key than the proof's, at PAR → `invalid_dpop_proof`"""
    proofs = (rp_bank.proof(rp_bank.metadata["pushed_authorization_request_endpoint"]),)
    sent = rp_bank.request(dpop_jkt=prover.jkt(prover.OTHER_KEY))
    judging.refused(rp_bank.push(sent, proofs=proofs), "invalid_request", "invalid_dpop_proof")


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """a proof at PAR, and one by another key at the token endpoint → refused"""
    endpoint = "pushed_authorization_request_endpoint"
    flow = bound(rp_bank, browser, (rp_bank.proof(rp_bank.metadata[endpoint]),))
    judging.refused(rp_bank.redeem(flow, proofs=with_other_key(rp_bank, "token_endpoint")), *MISMATCH)


def test_fapi2_security_profile_final_ensure_token_endpoint_fails_with_mismatched_dpop_jkt(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`dpop_jkt` of another key than the one at the token endpoint → refused"""
    flow = bound(rp_bank, browser, dpop_jkt=prover.jkt(prover.OTHER_KEY))
    judging.refused(rp_bank.redeem(flow), *MISMATCH)


def test_fapi2_security_profile_final_ensure_dpopproof_at_par_endpoint_binding_success(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """a proof at PAR, one by the same key at the token endpoint → success"""
    endpoint = "pushed_authorization_request_endpoint"
    rp_bank.redeemed(bound(rp_bank, browser, (rp_bank.proof(rp_bank.metadata[endpoint]),)))


def test_fapi2_security_profile_final_ensure_dpop_auth_code_binding_success(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """`dpop_jkt` of the key at the token endpoint → success"""
    rp_bank.redeemed(bound(rp_bank, browser, dpop_jkt=prover.jkt()))


def test_fapi2_security_profile_final_ensure_holder_of_key_required(
    rp_bank: RelyingParty, browser: Browser
) -> None:
    """no proof at the token endpoint → refused"""
    judging.refused(rp_bank.redeem(rp_bank.code(browser), proofs=()), *MISMATCH)


@pytest.mark.parametrize("sent", spoiled_proofs.REQUESTS)
def test_fapi2_security_profile_final_dpop_negative_tests(
    rp_bank: RelyingParty, browser: Browser, sent: str
) -> None:
    """thirty-one requests to a resource, each with something else about its proof → 200 or 401, then a right one passes"""
    rp = dataclasses.replace(rp_bank, key=spoiled_proofs.KEY)
    flow = rp.sign_in(browser)
    ask, may_pass = spoiled_proofs.REQUESTS[sent]
    answer = ask(rp, flow)
    assert answer.status_code == (200 if may_pass else 401), answer.text
    assert may_pass or answer.headers["www-authenticate"]
    rp.userinfo(flow)
