"""Verify access tokens with public keys alone, and know about logout within a second.

Owns what a resource service needs: the strict door for JWTs, the issuer's keys and revocation list kept fresh in
the background, the rules of RFC 9068, and the answers of RFC 6750.
Refuses the server: it imports joserfc, the standard library and `authserver.protocol`, and nothing on the request
path waits for the issuer once its documents are here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authserver.resource.freshness import Freshness
    from authserver.resource.guard import Guard
    from authserver.resource.health import Health, Observer
    from authserver.resource.introspection import Introspection
    from authserver.resource.jws import MalformedToken, VerifiedClaims
    from authserver.resource.keys import InvalidKeySet, PublicKeys
    from authserver.resource.principal import Principal
    from authserver.resource.refusal import Reason, Refusal
    from authserver.resource.requirement import Requirement
    from authserver.resource.revocation_set import RevocationSet
    from authserver.resource.verifier import Verifier, verify

__all__ = [
    "Freshness",
    "Guard",
    "Health",
    "Introspection",
    "InvalidKeySet",
    "MalformedToken",
    "Observer",
    "Principal",
    "PublicKeys",
    "Reason",
    "Refusal",
    "Requirement",
    "RevocationSet",
    "VerifiedClaims",
    "Verifier",
    "verify",
]

_HOMES = {
    "Freshness": "freshness",
    "Guard": "guard",
    "Health": "health",
    "Introspection": "introspection",
    "InvalidKeySet": "keys",
    "MalformedToken": "jws",
    "Observer": "health",
    "Principal": "principal",
    "PublicKeys": "keys",
    "Reason": "refusal",
    "Refusal": "refusal",
    "Requirement": "requirement",
    "RevocationSet": "revocation_set",
    "VerifiedClaims": "jws",
    "Verifier": "verifier",
    "verify": "verifier",
}


def __getattr__(name: str) -> Any:
    """PEP 562: cryptography is loaded when it is used, not when a service merely imports this package."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
