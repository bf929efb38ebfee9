"""Signatures: `typ` and claims go in, a compact JWS by the one active key comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

KEY_TYPES: Final[dict[str, type[RSAKey | ECKey | OKPKey]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


@dataclass(frozen=True, slots=True)
class Signer:
    """One private key, loaded once, with the only algorithm that it is for.

    joserfc is given this key and its explicit `kid`, never a key set: from a set it would pick at random.
    """

    kid: str
    algorithm: str
    key: RSAKey | ECKey | OKPKey

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        header = {"alg": self.algorithm, "kid": self.kid, "typ": typ}
        return jwt.encode(header, dict(claims), self.key, algorithms=[self.algorithm])


def signer_from(private_jwk: Mapping[str, Any]) -> Signer:
    """Load a private JWK that carries `kid` and `alg`; takes some 40 ms for RSA, so it is done once a key."""
    key = KEY_TYPES[private_jwk["kty"]].import_key(dict(private_jwk))
    return Signer(private_jwk["kid"], private_jwk["alg"], key)
