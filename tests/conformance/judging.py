"""What every module of the suite checks beside its own point, by another library than the server's own code.

Keys: RFC 7517. Authorization responses: RFC 6749 §4.1.2, RFC 9207. ID tokens: OpenID Connect Core §3.1.3.7.
"""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, cast

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization

MEDIA_TYPES = {"application/jwk-set+json", "application/json"}
SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
FIFTY_YEARS = 50 * 365 * 24 * 3_600
SAYABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §5.2: no CR, LF, TAB, quotes
NEEDS_A_PAGE = {"login_required", "interaction_required", "consent_required", "account_selection_required"}


def keys(answer: httpx2.Response) -> KeySet:
    """The keys of a JWK Set document that is as it must be."""
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] in MEDIA_TYPES
    jwks = answer.json()["keys"]
    names = [jwk["kid"] for jwk in jwks]
    assert len(set(names)) == len(names) > 0
    for jwk in jwks:
        assert jwk["kty"] in {"RSA", "EC", "OKP"}
        assert jwk["use"] == "sig"
        assert jwk["alg"]
        assert not SECRET_MEMBERS & set(jwk)
        if jwk["kty"] == "RSA":
            assert len(urlsafe_b64decode(jwk["n"] + "==")) * 8 >= 2_048
    return KeySet.import_key_set(cast("KeySetSerialization", {"keys": jwks}))


def kids(keys: KeySet) -> set[str | None]:
    return {key.kid for key in keys}


def authorization_response(fields: Mapping[str, str], sent: Mapping[str, str], issuer: str) -> None:
    """`state` as it was sent, `iss` right, and either a code or an error that can be said, never both."""
    assert fields.get("state") == sent.get("state")
    assert fields["iss"] == issuer
    assert not {"id_token", "access_token", "token"} & set(fields)
    if "error" in fields:
        assert set(fields) <= {"error", "error_description", "error_uri", "state", "iss"}
        assert all(SAYABLE.fullmatch(fields[name]) for name in fields if name.startswith("error"))
    else:
        assert set(fields) <= {"code", "state", "iss"}
        assert re.fullmatch(r"[\x20-\x7e]+", fields["code"])  # RFC 6749 §A.11


def token_response(answer: httpx2.Response) -> dict[str, Any]:
    """The body of a token response (RFC 6749 §5.1)."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = dict(answer.json())
    assert body["token_type"].lower() in {"bearer", "dpop"}
    assert body["expires_in"] > 0
    for name in ("access_token", "refresh_token"):
        assert re.fullmatch(r"[\x20-\x7e]+", body.get(name, "-"))  # §A.12, §A.17
    return body


def refused(answer: httpx2.Response, *allowed: str) -> str:
    """The error of an endpoint for programs (RFC 6749 §5.2), one of those that the module takes."""
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    body = answer.json()
    assert answer.status_code == (401 if body["error"] == "invalid_client" else 400), answer.text
    assert set(body) <= {"error", "error_description", "error_uri"}
    assert all(SAYABLE.fullmatch(text) for text in body.values())
    assert body["error"] in allowed, body
    return str(body["error"])


def id_token(
    token: str,
    keys: KeySet,
    *,
    alg: str,
    issuer: str,
    client_id: str,
    now: float,
    nonce: str | None,
    access_token: str,
) -> dict[str, Any]:
    """The claims of an ID token that a client may believe."""
    decoded = jwt.decode(token, keys, algorithms=[alg])
    assert decoded.header["alg"] == alg
    assert decoded.header["kid"] in kids(keys)
    claims = dict(decoded.claims)
    assert claims["iss"] == issuer
    assert claims["aud"] in (client_id, [client_id])
    assert claims.get("azp", client_id) == client_id
    assert 0 < len(claims["sub"]) <= 255
    assert claims["sub"].isascii()
    assert now < claims["exp"] < now + FIFTY_YEARS
    assert now - 300 < claims["iat"] <= now + 300
    assert claims.get("nonce") == nonce
    assert isinstance(claims["acr"], str)
    assert 0 < claims["auth_time"] <= now
    assert claims["at_hash"] == half_hash(access_token)
    return claims


def half_hash(access_token: str) -> str:
    """`at_hash` for an algorithm with SHA-256 (OpenID Connect Core §3.1.3.6)."""
    digest = hashlib.sha256(access_token.encode()).digest()[:16]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
