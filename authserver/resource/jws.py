"""The strict door for every compact JWS that comes in (RFC 7515 §7.1, RFC 8725bis): the server stands behind it too.

What the libraries behind it tolerate, it does not: padding, other alphabets and non-zero trailing bits in base64url
(several spellings of one token defeat a list of revoked ones), repeated members, unknown critical extensions, keys
brought along in the header (`jwk`, `x5c`) or fetched from an address in it (`jku`, `x5u`), and any exception that is
not MalformedToken. The algorithm is the key's; the header's `alg` only has to agree (RFC 8725 §3.1).

A proof of possession is the one JWS that brings its own key (RFC 9449 §4.2). It has a door of its own, as strict:
`parse_with_key`. Whoever reads tokens has no use for that door, so no token's header can choose what it is verified with.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NewType

from authserver.resource.keys import ALGORITHMS, PublicKey, is_safe_kid
from authserver.resource.strict_json import MalformedJSON, strict_json

__all__ = [
    "MalformedToken",
    "UnverifiedJWS",
    "VerifiedClaims",
    "VerifiedPayload",
    "parse_compact",
    "parse_with_key",
    "strict_json",
    "verified_claims",
    "verify_signature",
]

MAX_TOKEN: Final = 16_384
_MAX_HEADER: Final = 2_048
_MAX_HEADER_WITH_KEY: Final = 4_096  # an RSA key of 8192 bits has 1366 characters
_MAX_TYP: Final = 100
_NO_KID: Final = "header: no usable kid"
# `crit` and `b64` change what is signed; the others bring or point to a key; `enc` and `zip` belong to JWE.
_REFUSED_MEMBERS: Final = frozenset(("crit", "b64", "jwk", "jku", "x5u", "x5c", "enc", "zip"))
_REFUSED_BESIDE_A_KEY: Final = _REFUSED_MEMBERS - {"jwk"}
# By the length of a segment modulo 4: its padding, and the last characters whose unused bits are zero.
_ENDINGS: Final[tuple[tuple[bytes, frozenset[int]], ...]] = (
    (b"", frozenset(range(128))),
    (b"", frozenset()),
    (b"==", frozenset(b"AQgw")),
    (b"=", frozenset(b"AEIMQUYcgkosw048")),
)

# To the alphabet that binascii reads strictly; what only that alphabet has becomes what neither has.
_TO_STANDARD: Final = bytes.maketrans(b"-_+/=", b"+/???")

VerifiedPayload = NewType("VerifiedPayload", bytes)
VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])


class MalformedToken(ValueError):
    """Why a string is no JWS that we read. Never carries the token: exceptions end in logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnverifiedJWS(NamedTuple):
    """A well-formed JWS, and nothing that anybody vouches for yet."""

    unverified_header: Mapping[str, Any]
    signing_input: bytes
    unverified_payload: bytes
    signature: bytes


def parse_compact(token: str, *, max_length: int = MAX_TOKEN, kid_required: bool = True) -> UnverifiedJWS:
    """Take a compact JWS apart; MalformedToken for everything that is not exactly one.

    Without `kid_required` the caller has another way to find the sender's key: a client may have only one.
    """
    jws = _parse(token, max_length, _parse_header)
    if kid_required and "kid" not in jws.unverified_header:
        raise MalformedToken(_NO_KID)
    return jws


def parse_with_key(proof: str) -> UnverifiedJWS:
    """Take a JWS apart that brings the public key to verify it with: what it proves is that somebody has that key."""
    return _parse(proof, MAX_TOKEN, _parse_header_with_key)


def _parse(token: str, max_length: int, parse_header: Callable[[bytes], Mapping[str, Any]]) -> UnverifiedJWS:
    if not isinstance(token, str):
        raise MalformedToken("not a string")
    if len(token) > max_length:
        raise MalformedToken("too long")
    try:
        raw = token.encode("ascii")
    except UnicodeEncodeError:
        raise MalformedToken("a character outside base64url") from None
    first, last = raw.find(b"."), raw.rfind(b".")  # a third dot between them is no base64url
    if not 0 < first < last < len(raw) - 1:
        raise MalformedToken("not three segments with a header and a signature")
    standard = raw.translate(_TO_STANDARD)
    return UnverifiedJWS(
        parse_header(standard[:first]),
        raw[:last],
        _base64_decode(standard[first + 1 : last]),
        _base64_decode(standard[last + 1 :]),
    )


def verify_signature(jws: UnverifiedJWS, key: PublicKey) -> VerifiedPayload | None:
    """The payload once `key` vouches for it; None for a header of another algorithm or key, and for every failure."""
    header = jws.unverified_header
    if header["alg"] != key.alg or header.get("kid", key.kid) != key.kid:
        return None
    if not key.verifies(jws.signing_input, jws.signature):
        return None
    return VerifiedPayload(jws.unverified_payload)


def verified_claims(payload: VerifiedPayload) -> VerifiedClaims:
    """The claims of a payload whose signature was verified; MalformedToken when they are no strict JSON object."""
    try:
        return VerifiedClaims(strict_json(payload))
    except MalformedJSON as malformed:
        raise MalformedToken(f"payload: {malformed}") from None


def _base64_decode(segment: bytes) -> bytes:
    padding, canonical = _ENDINGS[len(segment) % 4]
    if segment and segment[-1] not in canonical:
        raise MalformedToken("not canonical base64url")
    try:
        return a2b_base64(segment + padding, strict_mode=True)
    except Base64Error:
        raise MalformedToken("a character outside base64url") from None


@lru_cache(maxsize=256)
def _parse_header(segment: bytes) -> Mapping[str, Any]:
    """An issuer writes a handful of headers, a service reads them a million times."""
    header = _read_header(segment, _MAX_HEADER)
    _check_header(header, _REFUSED_MEMBERS)
    if "kid" in header and not is_safe_kid(header["kid"]):
        raise MalformedToken(_NO_KID)
    return MappingProxyType(header)


def _parse_header_with_key(segment: bytes) -> Mapping[str, Any]:
    """Not remembered: each client has its own, and would push the issuer's out."""
    header = _read_header(segment, _MAX_HEADER_WITH_KEY)
    _check_header(header, _REFUSED_BESIDE_A_KEY)
    if not isinstance(header.get("jwk"), dict):
        raise MalformedToken("header: no jwk")
    return MappingProxyType(header)


def _read_header(segment: bytes, longest: int) -> dict[str, Any]:
    if len(segment) > longest:
        raise MalformedToken("header too long")
    try:
        return strict_json(_base64_decode(segment))
    except MalformedJSON as malformed:
        raise MalformedToken(f"header: {malformed}") from None


def _check_header(header: Mapping[str, Any], refused: frozenset[str]) -> None:
    if not refused.isdisjoint(header):
        raise MalformedToken("header: a member that is not accepted")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in ALGORITHMS:
        raise MalformedToken("header: algorithm not accepted")
    typ = header.get("typ", "")
    if not isinstance(typ, str) or len(typ) > _MAX_TYP:
        raise MalformedToken("header: typ is not a short string")
