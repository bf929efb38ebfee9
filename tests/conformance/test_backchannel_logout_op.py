"""Back-Channel Logout OP: the modules of `oidcc-backchannel-rp-initiated-logout-certification-test-plan`."""

from typing import Any

import pytest
from joserfc import jwt

from authserver.app import Server
from tests.clocks import HandClock
from tests.conformance import signed_in
from tests.conformance.browser import Arrival, Browser
from tests.conformance.credentials import ByHeader
from tests.conformance.relying_party import Register, RelyingParty
from tests.conformance.signed_in import AFTER, STATE, end_session, is_signed_in
from tests.conftest import ISSUER
from tests.deliveries.conftest import EVENT, Receiver, receiver, send_all, sender_of
from tests.visitor import Visitor

__all__ = ["receiver"]


@pytest.fixture
def rp(program: Visitor, clock: HandClock, register: Register, receiver: Receiver) -> RelyingParty:
    """Registered with an address on loopback, where it listens for real."""
    logout: dict[str, Any] = {
        "backchannel_logout_uri": receiver.uri,
        "backchannel_logout_session_required": True,
    }
    client_id = f"rp-{receiver.port}"
    secret = str(register(client_id, {**signed_in.REGISTRATION, **logout}, {"require_pkce": False}))
    return RelyingParty(program, clock, client_id, ByHeader(client_id, secret), {})


def test_oidcc_backchannel_logout_discovery_endpoint_verification(rp: RelyingParty) -> None:
    """the discovery document → `backchannel_logout_supported` and `…_session_supported` are true"""
    assert rp.metadata["backchannel_logout_supported"] is True
    assert rp.metadata["backchannel_logout_session_supported"] is True


def test_oidcc_backchannel_rp_initiated_logout(
    server: Server, rp: RelyingParty, browser: Browser, receiver: Receiver
) -> None:
    """end of session → a POST with one valid logout token, the redirect with `state`; then `prompt=none` fails"""
    flow = rp.sign_in(browser)
    arrival = end_session(rp, browser, flow)
    assert isinstance(arrival, Arrival)
    assert (arrival.place, arrival.fields) == (AFTER, {"state": STATE})
    assert send_all(sender_of(server)) == 1

    [form] = receiver.forms
    assert set(form) == {"logout_token"}
    token = jwt.decode(form["logout_token"], rp.keys(), algorithms=["RS256"])
    assert token.header["typ"] == "logout+jwt"
    told, now = token.claims, int(rp.clock.now().timestamp())
    assert (told["iss"], told["aud"]) == (ISSUER, rp.client_id)
    assert told["iat"] <= now < told["exp"] <= now + 120
    assert told["jti"]
    assert told["events"] == {EVENT: {}}
    assert (told["sub"], told["sid"]) == (flow.claims["sub"], flow.claims["sid"])
    assert "nonce" not in told
    assert not is_signed_in(rp, browser)
