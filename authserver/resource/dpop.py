"""Does the sender of a request have the private key that it shows? One proof of possession, judged (RFC 9449 §4.3).

Pure: no clock, no network, no memory. In order: exactly one header; the strict door, which lets a key in here alone;
`typ`; an asymmetric algorithm and a public key that is strong and for it; the signature; then what the proof is for:
this method, this address, this moment, this token.

What it stops: a token that was stolen without its key, and a proof that was made for another service, another request or
another token. A proof that is sent a second time is found out by who remembers (`replay_memory`, `authserver.replays`).
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from joserfc.jwk import thumbprint as thumbprint_of

from authserver.protocol.dpop import ALGORITHMS, NEWEST, OLDEST
from authserver.protocol.media import PROOF_TYP
from authserver.resource.jws import (
    MalformedToken,
    UnverifiedJWS,
    VerifiedClaims,
    parse_with_key,
    verified_claims,
    verify_signature,
)
from authserver.resource.keys import PublicKey
from authserver.resource.target_uri import normal

LONGEST_JTI: Final = 256
LONGEST_EXPONENT: Final = 6  # characters of `e`: a proof by a huge one takes 40 times as long to verify
THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7638 with SHA-256

_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {  # RFC 7638 §3.2
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
}
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))  # RFC 7518 §6
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_NUMBERS: Final = frozenset((int, float))  # by type: True is an int to isinstance


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody had the key with this thumbprint at `iat`. Good once: remember `jti` with the thumbprint."""

    thumbprint: str
    jti: str
    iat: float


@dataclass(frozen=True, slots=True)
class BadProof:
    """Why a proof proves nothing. Nothing that was sent is repeated here."""

    reason: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a proof has to be for. `token`: the access token that came with it (`ath`). `nonce`: one that we gave out."""

    method: str
    uri: str
    token: str | None = None
    nonce: str | None = None


def verify_proof(headers: Sequence[str], expected: Expected, now: float) -> Proof | BadProof:
    """Judge the values of the header `DPoP` of one request."""
    if len(headers) != 1:
        return BadProof("no DPoP header" if not headers else "more than one DPoP header")
    try:
        jws = parse_with_key(headers[0])
        key = _key_of(jws)
        if isinstance(key, BadProof):
            return key
        payload = verify_signature(jws, key)
        if payload is None:
            return BadProof("the signature is not by the key in the header")
        claims = verified_claims(payload)
    except MalformedToken as malformed:
        return BadProof(malformed.reason)
    wrong = _wrong_time(claims, now) or _wrong_target(claims, expected) or _wrong_link(claims, expected)
    return Proof(key.kid, claims["jti"], claims["iat"]) if wrong is None else BadProof(wrong)


def _key_of(jws: UnverifiedJWS) -> PublicKey | BadProof:
    """The key in the header, with the header's algorithm as its only one, under its thumbprint."""
    header = jws.unverified_header
    jwk, alg = header["jwk"], header["alg"]
    if header.get("typ", "").lower() not in (PROOF_TYP, f"application/{PROOF_TYP}"):
        return BadProof(f"typ is not {PROOF_TYP}")
    if alg not in ALGORITHMS:
        return BadProof("alg is not accepted for proofs")
    members = _members(jwk)
    if members is None or jwk.get("alg", alg) != alg or not _PRIVATE.isdisjoint(jwk):
        return BadProof("jwk is no public key, or one for another alg, or has a private part")
    return _opened(members, alg) or BadProof("jwk is not for that alg, or too weak")


def _members(jwk: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """What makes the key and its thumbprint, each in the only alphabet for it; None if a part is missing."""
    kty = jwk.get("kty")
    required = _REQUIRED.get(kty, ()) if isinstance(kty, str) else ()
    found = tuple((name, jwk.get(name)) for name in required)
    texts = tuple(
        (name, part) for name, part in found if isinstance(part, str) and _BASE64URL.fullmatch(part)
    )
    if not texts or len(texts) < len(found) or len(jwk.get("e", "")) > LONGEST_EXPONENT:
        return None
    return texts


@lru_cache(maxsize=1_024)
def _opened(members: tuple[tuple[str, str], ...], alg: str) -> PublicKey | None:
    """Remembered: a client has one key for all of its proofs, and to open it takes as long as to verify by it."""
    jwk = dict(members)
    return PublicKey.from_jwk({**jwk, "alg": alg, "kid": thumbprint_of(jwk)})


def _wrong_time(claims: VerifiedClaims, now: float) -> str | None:
    iat: Any = claims.get("iat")
    exp, nbf = claims.get("exp", iat), claims.get("nbf", iat)
    if not {type(iat), type(exp), type(nbf)} <= _NUMBERS:
        return "iat is missing, or it, exp or nbf is no number"
    if not now - OLDEST <= iat <= now + NEWEST:
        ago = round(min(max(now - iat, -1e12), 1e12))
        return f"iat is {ago} s ago; a proof lives {OLDEST:g} s and may be {NEWEST:g} s ahead"
    return "exp or nbf" if exp < now - OLDEST or nbf > now + NEWEST else None


def _wrong_target(claims: VerifiedClaims, expected: Expected) -> str | None:
    jti, htm, htu = claims.get("jti"), claims.get("htm"), claims.get("htu")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        return f"jti is not a string of 1 to {LONGEST_JTI} characters"
    if htm != expected.method:
        return f"htm is not {expected.method}"
    uri = normal(expected.uri)
    if not isinstance(htu, str) or uri is None or normal(htu) != uri:
        return f"htu is not {uri}"
    return None


def _wrong_link(claims: VerifiedClaims, expected: Expected) -> str | None:
    if expected.token is not None and not _same(claims.get("ath"), digest(expected.token)):
        return "ath is not the hash of the access token"
    if expected.nonce is not None and not _same(claims.get("nonce"), expected.nonce):
        return "nonce is not the one that was given out"
    return None


def digest(token: str) -> str:
    """`ath` of a token (RFC 9449 §4.2)."""
    return urlsafe_b64encode(sha256(token.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=").decode()


def _same(claim: object, wanted: str) -> bool:
    return isinstance(claim, str) and hmac.compare_digest(
        claim.encode("utf-8", "surrogatepass"), wanted.encode("utf-8", "surrogatepass")
    )
