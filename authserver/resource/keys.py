"""The issuer's public keys by `kid`. One key has exactly one algorithm (RFC 8725bis), so a key without `alg` is none.

Attacks: an RSA public key used as an HMAC secret, a PS256 signature under an RS256 key, a 512-bit key slipped into the
set, two keys under one name. Symmetric keys and private members never get in.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from re import compile as pattern
from types import MappingProxyType
from typing import Any, Final, Self

from joserfc.jwa import JWSAlgModel
from joserfc.jwk import ECKey, JWKRegistry, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

ALGORITHMS: Final = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
)
KID: Final = pattern(r"[A-Za-z0-9._~:@+/=-]{1,200}")
_PUBLIC: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_PRIVATE: Final = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))  # RFC 7518 §6
_RSA_BITS: Final = range(2048, 8192 + 1)


class InvalidKeySet(ValueError):
    """The document as a whole cannot be used; what it holds is not repeated here."""


class _OpenedKey:
    """What joserfc's algorithms ask of a key, answered at once: its own key object looks up `key_ops` each time."""

    __slots__ = ("_public_key", "curve_key_size")

    def __init__(self, key: RSAKey | ECKey | OKPKey) -> None:
        self._public_key = key.get_op_key("verify")
        self.curve_key_size: int = getattr(key, "curve_key_size", 0)

    def get_op_key(self, _operation: str) -> object:
        return self._public_key


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key with its one algorithm, ready to verify."""

    kid: str
    alg: str
    jwk: Mapping[str, Any] = field(repr=False)
    _algorithm: JWSAlgModel = field(repr=False, compare=False)
    _opened: _OpenedKey = field(repr=False, compare=False)

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self | None:
        """None for a key that must not verify anything here (RFC 7517 §5: unknown keys are to be ignored)."""
        return None if not _is_public_signing_key(jwk) else cls._opened_from(jwk)

    @classmethod
    def _opened_from(cls, jwk: Mapping[str, Any]) -> Self | None:
        public = {name: jwk[name] for name in ("kty", *_PUBLIC[jwk["kty"]]) if name in jwk}
        algorithm = JWSRegistry.algorithms[jwk["alg"]]
        try:
            key = JWKRegistry.import_key({**public, "alg": jwk["alg"], "use": "sig"})
            algorithm.check_key(key)  # kty and, for ECDSA, the curve
        except Exception:  # noqa: BLE001 - joserfc and cryptography raise many kinds at a broken key
            return None
        if not isinstance(key, OctKey) and _is_strong(key):
            return cls(jwk["kid"], jwk["alg"], MappingProxyType(public), algorithm, _OpenedKey(key))
        return None

    def verifies(self, signing_input: bytes, signature: bytes) -> bool:
        try:
            return self._algorithm.verify(signing_input, signature, self._opened)
        except Exception:  # noqa: BLE001 - a signature that cannot be verified is not valid, whatever broke
            return False


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """An immutable set of keys by `kid`: a change is a new object, which is how caches notice it."""

    _by_kid: Mapping[str, PublicKey]

    @classmethod
    def from_jwks(cls, document: Mapping[str, Any]) -> Self:
        """The usable keys of a JWK Set (RFC 7517 §5); InvalidKeySet when it is none or names a key twice."""
        members = document.get("keys")
        if not isinstance(members, list) or not all(isinstance(jwk, dict) for jwk in members):
            raise InvalidKeySet("not a JWK Set")
        kids = [jwk["kid"] for jwk in members if isinstance(jwk.get("kid"), str)]
        if len(kids) != len(set(kids)):  # which one is meant? RFC 7517 §4.5 wants distinct names
            raise InvalidKeySet("two keys have one kid")
        keys = (PublicKey.from_jwk(jwk) for jwk in members)
        return cls(MappingProxyType({key.kid: key for key in keys if key is not None}))

    @property
    def kids(self) -> frozenset[str]:
        return frozenset(self._by_kid)

    def get(self, kid: str) -> PublicKey | None:
        return self._by_kid.get(kid)

    def without(self, kids: Collection[str]) -> Self:
        """Itself when none of `kids` is here, so that nobody's cache is emptied for nothing."""
        if not any(kid in self._by_kid for kid in kids):
            return self
        kept = {kid: key for kid, key in self._by_kid.items() if kid not in kids}
        return type(self)(MappingProxyType(kept))

    def __len__(self) -> int:
        return len(self._by_kid)


def is_safe_kid(kid: object) -> bool:
    """A name, not a path, a query or a line break: it ends in logs and look-ups (RFC 8725 §3.10)."""
    return isinstance(kid, str) and KID.fullmatch(kid) is not None


def _is_public_signing_key(jwk: Mapping[str, Any]) -> bool:
    return (
        is_safe_kid(jwk.get("kid"))
        and jwk.get("kty") in ("RSA", "EC", "OKP")
        and isinstance(jwk.get("alg"), str)
        and jwk["alg"] in ALGORITHMS
        and jwk.get("use", "sig") == "sig"
        and _may_verify(jwk.get("key_ops", ["verify"]))
        and _PRIVATE.isdisjoint(jwk)
        and _is_large_enough(jwk)
    )


def _may_verify(key_ops: object) -> bool:
    return isinstance(key_ops, list) and "verify" in key_ops


def _is_large_enough(jwk: Mapping[str, Any]) -> bool:
    """Before joserfc sees it: a small modulus makes it warn, a huge one makes it work."""
    if jwk["kty"] != "RSA":
        return True
    return isinstance(jwk.get("n"), str) and _RSA_BITS.start // 6 <= len(jwk["n"]) <= _RSA_BITS.stop // 6 + 2


def _is_strong(key: RSAKey | ECKey | OKPKey) -> bool:
    if isinstance(key, RSAKey):
        return key.public_key.key_size in _RSA_BITS
    return not isinstance(key, OKPKey) or key.curve_name == "Ed25519"
