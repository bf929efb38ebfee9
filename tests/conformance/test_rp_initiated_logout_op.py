"""RP-Initiated Logout OP: the modules of `oidcc-rp-initiated-logout-certification-test-plan`.

"No redirect" is said of the app: nothing that was sent leads anywhere. What cannot be believed is asked about, and the
person whose session it is decides; so these modules also see that the person may still sign out, and stays here.
"""

import base64
import json

import httpx2
import pytest

from tests.clocks import HandClock
from tests.conformance import signed_in
from tests.conformance.browser import Arrival, Browser
from tests.conformance.credentials import ByHeader
from tests.conformance.relying_party import Flow, Register, RelyingParty
from tests.conformance.signed_in import AFTER, STATE, end_session, is_signed_in
from tests.conftest import ISSUER
from tests.resource import forge
from tests.signing_keys import load_rsa_keys
from tests.visitor import Visitor


@pytest.fixture(scope="module")
def secret(register: Register) -> str:
    return str(register("rp", signed_in.REGISTRATION, {"require_pkce": False}))


@pytest.fixture
def rp(program: Visitor, clock: HandClock, secret: str) -> RelyingParty:
    return RelyingParty(program, clock, "rp", ByHeader("rp", secret), {})


@pytest.fixture
def flow(rp: RelyingParty, browser: Browser) -> Flow:
    return rp.sign_in(browser)


def asks(answer: Arrival | httpx2.Response, rp: RelyingParty, browser: Browser) -> bool:
    """The person is asked, is signed out by a click, and is not led anywhere by what was sent."""
    assert isinstance(answer, httpx2.Response)
    assert answer.status_code == 200
    assert browser.stays(answer)
    assert browser.asked_for[-1] == "/oauth2/logout/confirm"
    assert is_signed_in(rp, browser)
    after = browser.follow(browser.submit(browser.pages[-1]))
    assert isinstance(after, httpx2.Response)
    assert browser.stays(after)
    return not is_signed_in(rp, browser)


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(rp: RelyingParty) -> None:
    """the discovery document → `end_session_endpoint`, https"""
    assert rp.metadata["end_session_endpoint"].startswith("https://")


def test_oidcc_rp_initiated_logout(rp: RelyingParty, browser: Browser, flow: Flow) -> None:
    """hint, registered URI and a `state` of 128 characters → there, with the `state`; then `prompt=none` fails"""
    arrival = end_session(rp, browser, flow)
    assert isinstance(arrival, Arrival)
    assert (arrival.place, arrival.fields) == (AFTER, {"state": STATE})
    assert not is_signed_in(rp, browser)


def test_oidcc_rp_initiated_logout_no_state(rp: RelyingParty, browser: Browser, flow: Flow) -> None:
    """the same without `state` → there, without `state`; then `prompt=none` fails"""
    arrival = end_session(rp, browser, flow, state=None)
    assert isinstance(arrival, Arrival)
    assert (arrival.place, arrival.query) == (AFTER, "")
    assert not is_signed_in(rp, browser)


def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(
    rp: RelyingParty, browser: Browser, flow: Flow
) -> None:
    """a `post_logout_redirect_uri` that is not registered → no redirect"""
    assert asks(end_session(rp, browser, flow, post_logout_redirect_uri=f"{AFTER}/other"), rp, browser)


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(
    rp: RelyingParty, browser: Browser, flow: Flow
) -> None:
    """the registered URI and a query → no redirect"""
    assert asks(end_session(rp, browser, flow, post_logout_redirect_uri=f"{AFTER}?foo=bar"), rp, browser)


def test_oidcc_rp_initiated_logout_no_id_token_hint(rp: RelyingParty, browser: Browser, flow: Flow) -> None:
    """no hint, and nobody says which client → no redirect"""
    assert asks(end_session(rp, browser, flow, id_token_hint=None), rp, browser)


def test_oidcc_rp_initiated_logout_modified_id_token_hint(
    rp: RelyingParty, browser: Browser, flow: Flow
) -> None:
    """the ID token with `alg: none` and another `sub` → no redirect"""
    head = forge.b64(json.dumps({"alg": "none"}).encode())
    body = flow.tokens["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed = forge.b64(json.dumps({**claims, "sub": claims["sub"][::-1]}).encode())
    same = end_session(rp, browser, flow, id_token_hint=f"{head}.{body}.")
    assert isinstance(same, httpx2.Response)
    assert asks(end_session(rp, browser, flow, id_token_hint=f"{head}.{changed}."), rp, browser)


def test_oidcc_rp_initiated_logout_bad_id_token_hint(rp: RelyingParty, browser: Browser, flow: Flow) -> None:
    """an ID token with all the right claims, signed by the client → no redirect"""
    own = load_rsa_keys()[40]
    claims = {**flow.claims, "iss": ISSUER}
    hint = forge.sign({"alg": "RS256", "typ": "JWT", "kid": own.kid}, claims, own)
    assert asks(end_session(rp, browser, flow, id_token_hint=hint), rp, browser)


def test_oidcc_rp_initiated_logout_no_params(rp: RelyingParty, browser: Browser, flow: Flow) -> None:
    """nothing at all → a page of ours, where the person signs out; then `prompt=none` fails"""
    nothing = dict.fromkeys(("id_token_hint", "post_logout_redirect_uri", "state"))
    assert asks(end_session(rp, browser, flow, **nothing), rp, browser)


def test_oidcc_rp_initiated_logout_only_state(rp: RelyingParty, browser: Browser, flow: Flow) -> None:
    """`state` alone → a page of ours, where the person signs out; then `prompt=none` fails"""
    answer = end_session(rp, browser, flow, id_token_hint=None, post_logout_redirect_uri=None)
    assert asks(answer, rp, browser)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(
    rp: RelyingParty, browser: Browser, flow: Flow
) -> None:
    """the hint alone → signed out, and a page that says so; then `prompt=none` fails"""
    answer = end_session(rp, browser, flow, post_logout_redirect_uri=None)
    assert isinstance(answer, httpx2.Response)
    assert answer.status_code == 200
    assert not is_signed_in(rp, browser)
