"""Front-Channel Logout OP: the modules of `oidcc-frontchannel-rp-initiated-logout-certification-test-plan`."""

from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from tests.clocks import HandClock
from tests.conformance import signed_in
from tests.conformance.browser import Browser, Reader
from tests.conformance.credentials import ByHeader
from tests.conformance.relying_party import Register, RelyingParty
from tests.conformance.signed_in import AFTER, end_session, is_signed_in
from tests.conftest import ISSUER
from tests.visitor import Visitor

LOGOUT = "https://rp.example/frontchannel_logout"


@pytest.fixture(scope="module")
def secret(register: Register) -> str:
    logout = {"frontchannel_logout_uri": LOGOUT, "frontchannel_logout_session_required": True}
    return str(register("rp", {**signed_in.REGISTRATION, **logout}, {"require_pkce": False}))


@pytest.fixture
def rp(program: Visitor, clock: HandClock, secret: str) -> RelyingParty:
    return RelyingParty(program, clock, "rp", ByHeader("rp", secret), {})


def test_oidcc_frontchannel_logout_discovery_endpoint_verification(rp: RelyingParty) -> None:
    """the discovery document → `frontchannel_logout_supported` and `…_session_supported` are true"""
    assert rp.metadata["frontchannel_logout_supported"] is True
    assert rp.metadata["frontchannel_logout_session_supported"] is True


def test_oidcc_frontchannel_rp_initiated_logout(rp: RelyingParty, browser: Browser) -> None:
    """end of session → the client's page in a frame, with `iss` and `sid`, then the redirect; `prompt=none` fails"""
    flow = rp.sign_in(browser)
    page = end_session(rp, browser, flow, state="af0ifjsldkj")
    assert isinstance(page, httpx2.Response)
    [frame] = Reader(page.text).frames
    place = urlsplit(frame)
    assert f"{place.scheme}://{place.netloc}{place.path}" == LOGOUT
    assert dict(parse_qsl(place.query)) == {"iss": ISSUER, "sid": flow.claims["sid"]}
    assert "frame-src https://rp.example;" in page.headers["content-security-policy"] + ";"
    seconds, _, target = page.headers["refresh"].partition(";url=")
    assert (int(seconds), target) == (1, f"{AFTER}?state=af0ifjsldkj")
    assert not is_signed_in(rp, browser)
