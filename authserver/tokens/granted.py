"""Access tokens for registered clients: for what an account allowed, and for a client on its own behalf.

RFC 9068. `grant_id` names the authorization, so that one entry of the revocation list ends every token of it. A token
of a client on its own behalf has the client's id as `sub`; no account has such an id (RFC 9700 §4.15). `cnf` binds a
token to the key that the client proved to have when it asked for it (RFC 9449 §6.1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authserver.authorizations.grants import Live
from authserver.clients.store import Client
from authserver.clock import seconds
from authserver.keyring.signer import Signer
from authserver.opaque import new_id
from authserver.protocol.media import ACCESS_TOKEN_TYP
from authserver.protocol.oauth import OPENID


@dataclass(frozen=True, slots=True)
class Granted:
    """A signed access token, and what the answer of the token endpoint says of it. `lifetime` in seconds."""

    value: str
    lifetime: int
    scope: str


@dataclass(frozen=True, slots=True)
class GrantedTokens:
    """Mints access tokens for registered clients."""

    issuer: str
    lifetime: timedelta

    def of_authorization(
        self,
        signer: Signer,
        live: Live,
        client: Client,
        *,
        scope: str,
        audience: Sequence[str],
        thumbprint: str | None,
    ) -> Granted:
        """Sign a token for what an account allowed a client; `sid`, `auth_time`, `acr` and `amr` as they were then."""
        held = live.authorization
        claims: dict[str, Any] = {
            "sub": live.subject,
            "grant_id": held.id,
            "auth_time": seconds(held.authenticated_at),
            "acr": held.acr,
            "amr": list(held.amr),
        }
        if not held.offline:
            claims["sid"] = held.session_id
        if live.account.roles:
            claims["roles"] = list(live.account.roles)
        return self._sign(signer, client, live.at, scope, audience, {**claims, **_bound(thumbprint)})

    def of_client(
        self,
        signer: Signer,
        client: Client,
        at: datetime,
        *,
        scope: str,
        audience: Sequence[str],
        thumbprint: str | None,
    ) -> Granted:
        """Sign a token for a client on its own behalf (RFC 6749 §4.4)."""
        claims = {"sub": client.client_id, **_bound(thumbprint)}
        return self._sign(signer, client, at, scope, audience, claims)

    def audience_of(self, client: Client, scope: str) -> tuple[str, ...]:
        """Answer what a token is for when nobody asked for anything: what is registered, or else ourselves."""
        return self.with_userinfo(client.audiences or (self.issuer,), scope)

    def with_userinfo(self, audience: Sequence[str], scope: str) -> tuple[str, ...]:
        """Add ourselves where the token shall open the UserInfo endpoint."""
        own = (self.issuer,) if OPENID in scope.split() and self.issuer not in audience else ()
        return (*audience, *own)

    def _sign(
        self,
        signer: Signer,
        client: Client,
        at: datetime,
        scope: str,
        audience: Sequence[str],
        more: Mapping[str, Any],
    ) -> Granted:
        issued_at = seconds(at)
        longest = int(self.lifetime.total_seconds())
        lifetime = min(client.access_token_lifetime or longest, longest)
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": audience[0] if len(audience) == 1 else list(audience),
            "client_id": client.client_id,
            "iat": issued_at,
            "exp": issued_at + lifetime,
            "jti": new_id(),
            **more,
        }
        if scope:
            claims["scope"] = scope
        return Granted(signer.sign(ACCESS_TOKEN_TYP, claims), lifetime, scope)


def _bound(thumbprint: str | None) -> dict[str, Any]:
    return {} if thumbprint is None else {"cnf": {"jkt": thumbprint}}
