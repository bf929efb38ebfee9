"""Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.4): tell one app that somebody is signed out.

`typ` and the missing `nonce` keep an ID token from passing for one, and the other way round (§2.4, RFC 8725 §3.11). A
token is good for two minutes and made anew for each attempt: a `jti` that an app has seen once it may refuse.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authserver.clock import seconds
from authserver.keyring.signer import Signer
from authserver.opaque import new_id
from authserver.protocol.media import LOGOUT_TYP

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME: Final = 120  # seconds: §4, "preferably at most two minutes"


@dataclass(frozen=True, slots=True)
class LogoutTokens:
    """Mints logout tokens."""

    issuer: str

    def mint(
        self, signer: Signer, client_id: str, at: datetime, *, subject: str, session_id: str | None
    ) -> str:
        """Sign a token for the end of one session, or of every session of the account where that is None."""
        issued_at = seconds(at)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": client_id,
            "iat": issued_at,
            "exp": issued_at + LIFETIME,
            "jti": new_id(),
            "events": {EVENT: {}},
            "sub": subject,
        }
        if session_id is not None:
            claims["sid"] = session_id
        return signer.sign(LOGOUT_TYP, claims)
