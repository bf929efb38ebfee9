"""The thirty-one requests of the suite's DPoP module to a resource, in its order: what is sent, and whether it may pass.

RFC 9449 §4.3 has the checks. The key is an RSA key for PS256, as the suite's is.
"""

from collections.abc import Callable
from typing import Any, Final

import httpx2
from joserfc.jwk import RSAKey

from tests.conformance.relying_party import Flow, RelyingParty
from tests.conftest import ISSUER
from tests.resource import forge, prover

Ask = Callable[[RelyingParty, Flow], httpx2.Response]

URI: Final = f"{ISSUER}/oauth2/userinfo"
KEY: Final = RSAKey(prover.RSA_KEY.raw_value, {**prover.RSA_KEY.as_dict(private=True), "alg": "PS256"})
HOUR: Final = 3_600


def proof(rp: RelyingParty, flow: Flow, uri: str = URI, **parts: Any) -> str:
    return rp.proof(uri, "GET", **{"token": flow.access_token, **parts})


def by(uri: str = URI, **parts: Any) -> Ask:
    """Ask with one proof, with these parts replaced."""
    return lambda rp, flow: rp.ask_userinfo(flow, proofs=(proof(rp, flow, uri, **parts),))


def at(seconds: int) -> Ask:
    """Ask with a proof of another time."""

    def ask(rp: RelyingParty, flow: Flow) -> httpx2.Response:
        return by(iat=int(rp.clock.now().timestamp()) + seconds)(rp, flow)

    return ask


def in_capitals(rp: RelyingParty, flow: Flow) -> httpx2.Response:
    headers = {"AUTHORIZATION": f"DPoP {flow.access_token}", "DPOP": proof(rp, flow)}
    return rp.http.get(URI, headers=headers)


def two_proofs(rp: RelyingParty, flow: Flow) -> httpx2.Response:
    return rp.ask_userinfo(flow, proofs=(proof(rp, flow), proof(rp, flow)))


def two_segments(rp: RelyingParty, flow: Flow) -> httpx2.Response:
    return rp.ask_userinfo(flow, proofs=(proof(rp, flow).rpartition(".")[0],))


def bad_signature(rp: RelyingParty, flow: Flow) -> httpx2.Response:
    whole, _, signature = proof(rp, flow).rpartition(".")
    return rp.ask_userinfo(flow, proofs=(f"{whole}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",))


def unsigned(rp: RelyingParty, flow: Flow) -> httpx2.Response:
    signed = proof(rp, flow, head={"alg": "none"}, alg="PS256")
    return rp.ask_userinfo(flow, proofs=(f"{signed.rpartition('.')[0]}.",))


def twice(rp: RelyingParty, flow: Flow) -> httpx2.Response:
    once = (proof(rp, flow, jti="one-jti"),)
    assert rp.ask_userinfo(flow, proofs=once).status_code == 200
    return rp.ask_userinfo(flow, proofs=(proof(rp, flow, jti="one-jti"),))


REQUESTS: Final[dict[str, tuple[Ask, bool]]] = {
    "name of the header in capitals": (in_capitals, True),
    "two headers": (two_proofs, False),
    "no well-formed JWT": (two_segments, False),
    "typ missing": (by(head={"typ": None}), False),
    "alg missing": (by(head={"alg": None}, alg="PS256"), False),
    "jwk missing": (by(head={"jwk": None}), False),
    "jti missing": (by(jti=None), False),
    "htm missing": (by(htm=None), False),
    "htu missing": (by(htu=None), False),
    "iat missing": (by(iat=None), False),
    "ath missing": (by(token=None), False),
    "typ of another JWT": (by(head={"typ": "JWT"}), False),
    "RS256 by a key for PS256": (
        by(head={"alg": "RS256", "jwk": forge.public_jwk(KEY)}, alg="RS256"),
        False,
    ),
    "alg none": (unsigned, False),
    "signature changed": (bad_signature, False),
    "private key in jwk": (by(head={"jwk": KEY.as_dict(private=True)}), False),
    "htm of another method": (by(htm="PUT"), False),
    "htu with query and fragment": (by(f"{URI}?query=foo&query2=bar#fragment"), True),
    "htu without query and fragment": (by(URI), True),
    "htu of another address": (by("https://rp.example/resource"), False),
    "iat an hour ahead": (at(HOUR), False),
    "iat an hour ago": (at(-HOUR), False),
    "jti for the first time": (by(jti="first"), True),
    "jti for the second time": (twice, False),
    "ath of another token": (by(token="another"), False),
    "signed with another key": (by(key=prover.KEY), False),
    "unknown members in header and claims": (by(head={"invalid": "x"}, invalid="x"), True),
    "htu in capitals": (by(URI.replace(ISSUER, ISSUER.upper())), True),
    "htu with the default port": (by(URI.replace(ISSUER, f"{ISSUER}:443")), True),
    "no proof": (lambda rp, flow: rp.ask_userinfo(flow, proofs=()), False),
    "no proof, as a bearer token": (
        lambda rp, flow: rp.ask_userinfo(flow, scheme="Bearer", proofs=()),
        False,
    ),
}
