"""Keys made once and kept as files: making an RSA key takes longer than most tests."""

import json
from functools import cache
from pathlib import Path

from joserfc.jwk import ECKey, RSAKey

KEYS = Path(__file__).parent / "keys"


@cache
def load_rsa_keys() -> tuple[RSAKey, ...]:
    """64 private RSA-2048 keys, each with `kid` (RFC 7638), `alg: RS256` and `use: sig`."""
    return tuple(RSAKey.import_key(jwk) for jwk in json.loads((KEYS / "rsa-2048.json").read_text()))


@cache
def load_ec_keys() -> tuple[ECKey, ...]:
    """Four private P-256 keys, each with `kid`, `alg: ES256` and `use: sig`."""
    return tuple(ECKey.import_key(jwk) for jwk in json.loads((KEYS / "ec-p256.json").read_text()))
