"""Access tokens: JWTs by RFC 9068, `typ: at+jwt`, signed by the one active key.

`iat` is the moment at which the database said that the session lives, not the moment of signing. A sign-out that
comes in between has a cut-off after it, so a token that was slow on its way is refused like any other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from authserver.accounts.store import Account
from authserver.clock import seconds
from authserver.keyring.live import LiveKeyring
from authserver.keyring.signer import Signer
from authserver.opaque import new_id
from authserver.protocol.media import ACCESS_TOKEN_TYP
from authserver.sessions.store import Session
from authserver.status_lists.claims import status

FIRST_PARTY: Final = "first-party"  # the built-in client that the token cookie belongs to


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and what its cookie needs to know."""

    value: str
    lifetime: timedelta


class AccessTokens:
    """Mints access tokens for the token cookie."""

    def __init__(
        self,
        keyring: LiveKeyring,
        *,
        issuer: str,
        audience: str,
        lifetime: timedelta,
        algorithm: str,
        status_lists: bool = False,
    ) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        self._algorithm = algorithm
        self._status_lists = status_lists

    def signer(self) -> Signer:
        """Answer the key that would sign now: ask before the work begins, sign when it is done.

        :raises CannotSign: no key may sign now.
        """
        return self._keyring.signer(self._algorithm)

    def mint(self, signer: Signer, session: Session, account: Account, at: datetime) -> AccessToken:
        """Sign a token for a session that was alive `at` that moment; it does not outlive the session's own limit."""
        issued_at = seconds(at)
        expires_at = min(issued_at + int(self._lifetime.total_seconds()), seconds(session.expires_at))
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": account.id,
            "client_id": FIRST_PARTY,
            "iat": issued_at,
            "exp": expires_at,
            "jti": new_id(),
            "sid": session.id,
            "auth_time": seconds(session.authenticated_at),
            "amr": list(session.amr),
        }
        if account.roles:  # an empty list is a claim that some verifiers refuse (joserfc: blank)
            claims["roles"] = list(account.roles)
        if self._status_lists and session.status_index is not None:
            claims["status"] = status(self._issuer, session.status_index)
        value = signer.sign(ACCESS_TOKEN_TYP, claims)
        return AccessToken(value, timedelta(seconds=expires_at - issued_at))
