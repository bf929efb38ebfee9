"""A client that proves that it has a key, and one that gets any part of that wrong (RFC 9449 §4.2)."""

import hashlib
import itertools
from collections.abc import Mapping
from typing import Any

from joserfc.jwk import ECKey, RSAKey, thumbprint

from tests.resource import forge
from tests.signing_keys import load_ec_keys, load_rsa_keys

KEY, OTHER_KEY = load_ec_keys()[1:3]
RSA_KEY = load_rsa_keys()[2]
_numbers = itertools.count(1)


def jkt(key: ECKey | RSAKey = KEY) -> str:
    return thumbprint(public(key))


def public(key: ECKey | RSAKey = KEY) -> dict[str, Any]:
    """The key as clients show it: without `kid`, `alg` and `use`."""
    shown = key.as_dict(private=False)
    return {name: value for name, value in shown.items() if name in {"kty", "crv", "x", "y", "n", "e"}}


def header(key: ECKey | RSAKey = KEY, **members: Any) -> dict[str, Any]:
    """A correct header; a member given as None is left out."""
    usual = {"typ": "dpop+jwt", "alg": key.alg, "jwk": public(key)}
    return {name: value for name, value in (usual | members).items() if value is not None}


def claims(method: str, uri: str, now: float, *, token: str | None = None, **members: Any) -> dict[str, Any]:
    """Correct claims, with a `jti` of their own; a member given as None is left out."""
    usual = {"jti": f"proof-{next(_numbers)}", "htm": method, "htu": uri, "iat": int(now)}
    if token is not None:
        usual["ath"] = ath(token)
    return {name: value for name, value in (usual | members).items() if value is not None}


def ath(token: str) -> str:
    return forge.b64(hashlib.sha256(token.encode()).digest())


def proof(
    method: str,
    uri: str,
    now: float,
    *,
    token: str | None = None,
    key: ECKey | RSAKey = KEY,
    head: Mapping[str, Any] | None = None,
    alg: str | None = None,
    **members: Any,
) -> str:
    """A proof with parts of its header (`head`) and claims replaced; `alg` signs with another than the header says."""
    return forge.sign(
        header(key, **(head or {})), claims(method, uri, now, token=token, **members), key, alg=alg
    )
