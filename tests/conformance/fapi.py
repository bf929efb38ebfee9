"""The two clients of the FAPI 2.0 plan: private_key_jwt, DPoP, pushed requests, PKCE, refresh tokens that stay.

The one signs its assertions with PS256 and the other with ES256; their ID tokens are signed with ES256.
"""

from typing import Any

from joserfc.jwk import ECKey, RSAKey

from tests.clocks import HandClock
from tests.conformance.credentials import ByAssertion
from tests.conformance.relying_party import CALLBACK, PKCE, Register, RelyingParty
from tests.conftest import ISSUER
from tests.resource import forge, prover
from tests.signing_keys import load_ec_keys, load_rsa_keys
from tests.visitor import Visitor

BANK, SHOP = "bank", "shop"
ASSERTION_KEYS: dict[str, tuple[ECKey | RSAKey, str]] = {
    BANK: (load_rsa_keys()[30], "PS256"),
    SHOP: (load_ec_keys()[3], "ES256"),
}
PROOF_KEYS = {BANK: prover.KEY, SHOP: prover.OTHER_KEY}
PROFILE_OF_OURS = {"rotate_refresh_tokens": False}  # FAPI 2.0 §5.3.2.1: no rotation without need


def registration(client_id: str) -> dict[str, Any]:
    key, alg = ASSERTION_KEYS[client_id]
    return {
        "client_name": client_id.title(),
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email phone address offline_access",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": alg,
        "jwks": {"keys": [forge.public_jwk(key, alg=alg)]},
        "require_pushed_authorization_requests": True,
        "dpop_bound_access_tokens": True,
        "id_token_signed_response_alg": "ES256",
    }


def register_both(register: Register) -> None:
    for client_id in (BANK, SHOP):
        register(client_id, registration(client_id), PROFILE_OF_OURS)


def party(client_id: str, program: Visitor, clock: HandClock) -> RelyingParty:
    key, alg = ASSERTION_KEYS[client_id]
    return RelyingParty(
        program,
        clock,
        client_id,
        ByAssertion(client_id, key, alg, ISSUER, clock),
        PKCE,
        id_token_alg="ES256",
        key=PROOF_KEYS[client_id],
        pushes=True,
    )


def assertion(rp: RelyingParty, *args: Any, **claims: Any) -> str:
    """An assertion of this client, with parts of it replaced."""
    assert isinstance(rp.credentials, ByAssertion)
    return rp.credentials.assertion(*args, **claims)
