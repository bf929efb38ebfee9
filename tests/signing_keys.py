"""Keys made once and kept as files: making an RSA key takes longer than most tests."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers, RSAPublicNumbers
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import urlsafe_b64decode

KEYS = Path(__file__).parent / "keys"


@cache
def rsa_key_pairs() -> tuple[dict[str, Any], ...]:
    """The same as private JWKs, not loaded: that takes 40 ms each."""
    return tuple(json.loads((KEYS / "rsa-2048.json").read_text()))


@cache
def ec_key_pairs() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads((KEYS / "ec-p256.json").read_text()))


@cache
def load_rsa_keys() -> tuple[RSAKey, ...]:
    """64 private RSA-2048 keys, each with `kid` (RFC 7638), `alg: RS256` and `use: sig`."""
    jwks = json.loads((KEYS / "rsa-2048.json").read_text())
    return tuple(RSAKey(_private_key(jwk), jwk) for jwk in jwks)


@cache
def load_ec_keys() -> tuple[ECKey, ...]:
    """Four private P-256 keys, each with `kid`, `alg: ES256` and `use: sig`."""
    return tuple(ECKey.import_key(jwk) for jwk in ec_key_pairs())


def _private_key(jwk: dict[str, Any]) -> RSAPrivateKey:
    """joserfc would prove each key's primes: 50 ms each, for keys that never change."""
    number = {
        name: int.from_bytes(urlsafe_b64decode(jwk[name].encode()))
        for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")
    }
    private = RSAPrivateNumbers(
        p=number["p"],
        q=number["q"],
        d=number["d"],
        dmp1=number["dp"],
        dmq1=number["dq"],
        iqmp=number["qi"],
        public_numbers=RSAPublicNumbers(number["e"], number["n"]),
    )
    return private.private_key(unsafe_skip_rsa_key_validation=True)
