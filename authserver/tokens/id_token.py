"""ID tokens (OpenID Connect Core §2): for the client alone, signed by the algorithm that it registered."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from authserver.authorizations.grants import Live
from authserver.clients.store import Client
from authserver.clock import seconds
from authserver.keyring.signer import Signer
from authserver.protocol.media import ID_TOKEN_TYP

DIGESTS: Final = {
    "RS256": "sha256",
    "PS256": "sha256",
    "ES256": "sha256",
    "EdDSA": "sha512",
    "Ed25519": "sha512",
}


@dataclass(frozen=True, slots=True)
class IdTokens:
    """Mints ID tokens."""

    issuer: str
    lifetime: timedelta

    def mint(
        self,
        signer: Signer,
        live: Live,
        client: Client,
        *,
        access_token: str,
        nonce: str | None,
        about: Mapping[str, Any],
    ) -> str:
        """Sign an ID token. `nonce` only in the answer to the code: a refresh has none (OIDC Core §12.2).

        :param about: what else was asked for in it (person.py); nothing of the token's own gives way to that.
        """
        held, issued_at = live.authorization, seconds(live.at)
        longest = int(self.lifetime.total_seconds())
        claims: dict[str, Any] = {
            **about,
            "iss": self.issuer,
            "aud": client.client_id,
            "sub": live.subject,
            "iat": issued_at,
            "exp": issued_at + min(client.id_token_lifetime or longest, longest),
            "auth_time": seconds(held.authenticated_at),
            "acr": held.acr,
            "amr": list(held.amr),
            "sid": held.session_id,
            "at_hash": half_hash(access_token, signer.algorithm),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        return signer.sign(ID_TOKEN_TYP, claims)


def half_hash(token: str, algorithm: str) -> str:
    """Answer the left half of the hash that goes with a signature algorithm, in base64url (OIDC Core §3.1.3.6)."""
    digest = hashlib.new(DIGESTS[algorithm], token.encode("ascii")).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
