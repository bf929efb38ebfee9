"""The tokens that are given for others (RFC 8693 §2.2): nothing grows on the way from service to service.

`sub`, `sid` and `grant_id` stay, so what ends the old token ends the new one, and it expires no later. `act` says who
acts, in front of who acted before (§4.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from authserver.clock import seconds
from authserver.keyring.signer import Signer
from authserver.opaque import new_id
from authserver.protocol.media import ACCESS_TOKEN_TYP
from authserver.tokens.granted import Granted
from authserver.tokens.subject_tokens import Subject, SubjectTokens, plain

KEPT: Final = ("sub", "grant_id", "sid", "auth_time", "acr", "amr", "roles", "status")


@dataclass(frozen=True, slots=True)
class ExchangedTokens:
    """Mints the tokens that are given for others."""

    issuer: str
    lifetime: timedelta

    def mint(
        self,
        signer: Signer,
        subject: Subject,
        *,
        scope: str,
        audience: Sequence[str],
        thumbprint: str | None,
    ) -> Granted:
        """Sign a token in the place of another. `thumbprint`: of the key that the client has proved to have."""
        old, issued_at = subject.principal, seconds(subject.at)
        longest = int(self.lifetime.total_seconds())
        allowed = min(subject.client.access_token_lifetime or longest, longest)
        expires_at = min(issued_at + allowed, int(old.expires_at))
        claims: dict[str, Any] = {
            **{name: plain(old.claims[name]) for name in KEPT if name in old.claims},
            "iss": self.issuer,
            "aud": audience[0] if len(audience) == 1 else list(audience),
            "client_id": subject.client.client_id,
            "iat": issued_at,
            "exp": expires_at,
            "jti": new_id(),
        }
        said = {"act": subject.actor, "scope": scope, "cnf": thumbprint and {"jkt": thumbprint}}
        claims |= {name: value for name, value in said.items() if value}
        return Granted(signer.sign(ACCESS_TOKEN_TYP, claims), expires_at - issued_at, scope)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Both sides of an exchange."""

    subjects: SubjectTokens
    tokens: ExchangedTokens
