"""Tokens as an attacker writes them: any bytes in any segment, signed by whatever key is at hand."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from authserver.resource.keys import PublicKeys
from tests.signing_keys import load_ec_keys, load_rsa_keys

NOW = 1_785_000_000
ISSUER = "https://login.example.com"
API = "https://api.example.com"
KEY, OTHER_KEY = load_rsa_keys()[:2]
EC_KEY = load_ec_keys()[0]
KID = str(KEY.kid)


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def header(**members: Any) -> dict[str, Any]:
    """A correct header; a member given as None is left out."""
    usual = {"alg": "RS256", "typ": "at+jwt", "kid": KID}
    return {name: value for name, value in (usual | members).items() if value is not None}


def claims(**members: Any) -> dict[str, Any]:
    """Correct claims; a member given as None is left out."""
    usual = {
        "iss": ISSUER,
        "aud": API,
        "sub": "6f1c7f3e-6f0d-4f3e-9d3e-0b2f6d1f8a11",
        "client_id": "first-party",
        "iat": NOW,
        "exp": NOW + 3600,
        "jti": "kq3J8n1bq0aYwT1mJp0WZA",
        "sid": "s0m3S3ss10n",
        "scope": "openid orders:read",
        "roles": ["member"],
    }
    return {name: value for name, value in (usual | members).items() if value is not None}


def sign(
    head: Mapping[str, Any] | bytes,
    payload: Mapping[str, Any] | bytes,
    key: RSAKey | ECKey = KEY,
    *,
    alg: str | None = None,
) -> str:
    """A compact JWS, truly signed, whatever stands in it. `alg` signs with another algorithm than the header says."""
    head_bytes = head if isinstance(head, bytes) else json.dumps(head).encode()
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signing_input = f"{b64(head_bytes)}.{b64(body)}"
    algorithm = JWSRegistry.algorithms[alg or str(key.alg)]
    return f"{signing_input}.{b64(algorithm.sign(signing_input.encode(), key))}"


def public_jwk(key: RSAKey | ECKey = KEY, **members: Any) -> dict[str, Any]:
    jwk = {**key.as_dict(private=False), **members}
    return {name: value for name, value in jwk.items() if value is not None}


def public_keys(*keys: RSAKey | ECKey) -> PublicKeys:
    return PublicKeys.from_jwks({"keys": [public_jwk(key) for key in keys or (KEY,)]})
