"""Reading our own ID tokens back, as a hint who is meant (OIDC Core §3.1.2.1, RP-Initiated Logout §2).

A hint may be expired, for that is when it is needed; everything else about it is checked. The key that signed it has to
be published still, so a hint is good for as long as the arithmetic of the keyring promises, and usually for longer.
"""

from dataclasses import dataclass

from authserver.keyring.live import LiveKeyring, Snapshot
from authserver.protocol.media import ID_TOKEN_TYP
from authserver.resource.jws import (
    MalformedToken,
    VerifiedClaims,
    parse_compact,
    verified_claims,
    verify_signature,
)
from authserver.resource.keys import PublicKeys


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom an ID token of ours is about, and for which client it was made."""

    sub: str
    sid: str | None
    client_id: str


class IdTokenHints:
    """Verifies ID tokens of this issuer."""

    def __init__(self, keyring: LiveKeyring, issuer: str) -> None:
        self._issuer = issuer
        keyring.on_change(self._follow)

    def read(self, unverified_token: str) -> Hint | None:
        """Answer whom it is about; None for what is no ID token of ours."""
        claims = self._claims(unverified_token)
        if claims is None or claims.get("iss") != self._issuer or "exp" not in claims:
            return None  # without `exp` it is no ID token but UserInfo, which we sign for the same client
        sub, sid, client_id = claims.get("sub"), claims.get("sid"), claims.get("aud")
        if not isinstance(sub, str) or not isinstance(client_id, str) or not isinstance(sid, str | None):
            return None
        return Hint(sub, sid, client_id)

    def _claims(self, unverified_token: str) -> VerifiedClaims | None:
        try:
            jws = parse_compact(unverified_token)
            key = self._keys.get(jws.unverified_header["kid"])
            payload = verify_signature(jws, key) if key else None
            if payload is None or jws.unverified_header.get("typ") != ID_TOKEN_TYP:
                return None
            return verified_claims(payload)
        except MalformedToken:
            return None

    def _follow(self, snapshot: Snapshot) -> None:
        self._keys = PublicKeys.from_jwks(snapshot.jwks)
