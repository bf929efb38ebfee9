"""New key pairs. Made by `cryptography` through joserfc; slow (RSA: some 0.1 s), so never under a lock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc.jwk import ECKey, OKPKey, RSAKey

from authserver.keyring.states import SigningKey, State


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key pair that no one has seen yet. `private_jwk` holds the secret: seal it, then forget it."""

    key: SigningKey
    private_jwk: dict[str, Any]


Generate = Callable[[str, datetime], NewKey]


def generator(rsa_key_size: int) -> Generate:
    """Answer a function that makes a key pair for an algorithm (RFC 7518 §3, RFC 9864 for Ed25519)."""
    makers: dict[str, Callable[[], RSAKey | ECKey | OKPKey]] = {
        "RS256": lambda: RSAKey.generate_key(rsa_key_size),
        "PS256": lambda: RSAKey.generate_key(rsa_key_size),
        "ES256": lambda: ECKey.generate_key("P-256"),
        "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
    }

    def generate(algorithm: str, now: datetime) -> NewKey:
        return new_key(makers[algorithm](), algorithm, now)

    return generate


def new_key(pair: RSAKey | ECKey | OKPKey, algorithm: str, now: datetime) -> NewKey:
    """Name a pair by its RFC 7638 thumbprint and bind it to exactly one algorithm (RFC 8725 §3.1)."""
    names = {"kid": pair.thumbprint(), "use": "sig", "alg": algorithm}
    public = {**pair.as_dict(private=False), **names}
    private = {**pair.as_dict(private=True), **names}
    return NewKey(SigningKey(names["kid"], algorithm, State.NEXT, public, now), private)
