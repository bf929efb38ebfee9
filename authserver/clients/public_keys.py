"""The public keys by which a client proves who it is (private_key_jwt), as they are registered and as they are used.

At registration every key must be good, so that a mistake shows on the day it is made. A private part is refused and
never stored: whoever sends one must replace the key.
"""

from collections.abc import Mapping
from typing import Any, Final

from joserfc.jwk import thumbprint

from authserver.clients.fields import Unfit
from authserver.resource.keys import PublicKey, PublicKeys, is_safe_kid

MOST_KEYS: Final = 20
PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")  # RFC 7518 §6
KEPT: Final = ("kty", "kid", "use", "alg", "n", "e", "crv", "x", "y")
FITTING: Final[Mapping[str, tuple[str, ...]]] = {
    "RSA": ("RS256", "PS256"),
    "EC": ("ES256",),
    "OKP": ("Ed25519", "EdDSA"),
}
ALGORITHMS: Final = tuple(alg for fitting in FITTING.values() for alg in fitting)
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {  # RFC 7638 §3.2
    "RSA": ("kty", "n", "e"),
    "EC": ("kty", "crv", "x", "y"),
    "OKP": ("kty", "crv", "x"),
}


def read(value: Any) -> Any:
    """Answer a JWK Set with public members only, or an `Unfit`."""
    keys = value.get("keys") if isinstance(value, Mapping) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_KEYS:
        return Unfit(f'write a JWK Set with 1 to {MOST_KEYS} public keys: {{"keys": [{{…}}]}}')
    for number, key in enumerate(keys, start=1):
        if unfit := _unfit(key):
            return Unfit(f"key {number}: {unfit}")
    signing = [key for key in keys if key.get("use") != "enc"]  # nothing is encrypted here
    if not signing:
        return Unfit('none of the keys is for signing: leave "use" out, or write "sig"')
    kids = [key.get("kid") for key in signing]
    if len(kids) > 1 and (None in kids or len(set(kids)) < len(kids)):
        return Unfit("give each key a kid of its own, so that it is clear which one is meant")
    return {"keys": [{member: key[member] for member in KEPT if member in key} for key in signing]}


def has_two_names(alg: str) -> bool:
    return alg in FITTING["OKP"]


def same_algorithm(one: str, other: str) -> bool:
    """Whether two names mean one algorithm: `EdDSA` with Ed25519, the only curve here, is `Ed25519` (RFC 9864 §2.2)."""
    return one == other or {one, other} == set(FITTING["OKP"])


def usable(jwks: Mapping[str, Any], signing_alg: str | None = None) -> PublicKeys:
    """Open the keys of a set that was read or fetched, each with one algorithm (RFC 8725bis §3.1).

    One without `alg` takes the algorithm that the client registered, or the first of its type; one without `kid` the
    thumbprint. Where an algorithm has two names, `signing_alg` is the one. What is not good for signing is left out.

    :raises InvalidKeySet: the document is no JWK Set.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        return PublicKeys.from_jwks(jwks)
    return PublicKeys.from_jwks({"keys": [_completed(key, signing_alg) for key in keys]})


def fits(jwks: Mapping[str, Any], signing_alg: str) -> bool:
    """Say whether one of the keys of a registered set can sign by this algorithm."""
    opened = usable(jwks, signing_alg)
    return any(key.alg == signing_alg for kid in opened.kids if (key := opened.get(kid)))


def _unfit(key: Any) -> str | None:
    if not isinstance(key, Mapping) or not isinstance(key.get("kty"), str):
        return 'write a JWK, with its "kty"'
    if private := [member for member in PRIVATE if member in key]:
        return (
            f"it has a private part ({', '.join(private)}): register the public key only, and make another pair, "
            "as this one has been sent about"
        )
    if key["kty"] not in FITTING:
        return f'"kty" must be one of: {", ".join(FITTING)}'
    if "kid" in key and not is_safe_kid(key["kid"]):
        return '"kid" has 1 to 200 letters, digits and . _ ~ : @ + / = -'
    return None if key.get("use") == "enc" else _unfit_for_signing(key)


def _unfit_for_signing(key: Mapping[str, Any]) -> str | None:
    allowed = FITTING[key["kty"]]
    if key.get("alg", allowed[0]) not in allowed:
        return f'"alg" of such a key must be one of: {", ".join(allowed)}'
    if PublicKey.from_jwk(_completed(key, None)) is None:
        return "it cannot be used: RSA keys have 2048 to 8192 bits, EC keys the curve P-256, OKP keys Ed25519"
    return None


def _completed(key: Any, signing_alg: str | None) -> Any:
    if not isinstance(key, Mapping) or not isinstance(key.get("kty"), str) or key["kty"] not in FITTING:
        return key
    allowed = FITTING[key["kty"]]
    alg = signing_alg if signing_alg in allowed else allowed[0]
    named = {"alg": alg, "kid": _thumbprint(key), **key}
    spelled = signing_alg and isinstance(named["alg"], str) and same_algorithm(named["alg"], signing_alg)
    return {**named, "alg": signing_alg} if spelled else named


def _thumbprint(key: Mapping[str, Any]) -> str | None:
    """RFC 7638; None for a key that lacks what a key of its type has, and that nothing is verified with."""
    members = {name: key.get(name) for name in REQUIRED[key["kty"]]}
    return thumbprint(members) if all(isinstance(value, str) for value in members.values()) else None
