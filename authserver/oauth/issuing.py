"""The answer of the token endpoint: which tokens, for what, in the words of RFC 6749 §5.1 and OIDC Core §3.1.3.3."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from authserver.authorizations.grants import Live
from authserver.clients.store import Client
from authserver.keyring.signer import Signer
from authserver.oauth.errors import Problem
from authserver.oauth.parameters import Parameters
from authserver.protocol import oauth as words
from authserver.protocol.oauth import OPENID
from authserver.tokens.granted import Granted, GrantedTokens
from authserver.tokens.id_token import IdTokens

# An answer that is not signed yet: to sign takes longer than everything else, and nobody shall wait for it who waits for
# the database. So it is done when the transaction is over.
Unsigned = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys that will sign, asked for before anything is claimed."""

    access_token: Signer
    id_token: Signer


@dataclass(frozen=True, slots=True)
class Issuing:
    """Puts tokens together. Nothing is stored."""

    signer: Callable[[str], Signer]  # by algorithm; raises CannotSign
    algorithm: str  # of access tokens
    access_tokens: GrantedTokens
    id_tokens: IdTokens

    def signers(self, client: Client) -> Signers:
        """Answer the keys for this client's tokens.

        :raises CannotSign: there is none, or none may sign now.
        """
        return Signers(self.signer(self.algorithm), self.signer(client.id_token_signed_response_alg))

    def for_account(
        self,
        signers: Signers,
        live: Live,
        client: Client,
        *,
        scope: str,
        audience: Sequence[str],
        refresh_token: str | None,
        nonce: str | None,
        thumbprint: str | None,
        about: Mapping[str, Any] = MappingProxyType({}),
    ) -> Unsigned:
        """Put together what a person allowed. `audience`: what was asked for, and is allowed; `about`: tokens/person.py;
        `thumbprint` of the client's key, which the access token is bound to.
        """
        return lambda: self._for_account(
            signers, live, client, scope, audience, refresh_token, nonce, thumbprint, about
        )

    def _for_account(
        self,
        signers: Signers,
        live: Live,
        client: Client,
        scope: str,
        audience: Sequence[str],
        refresh_token: str | None,
        nonce: str | None,
        thumbprint: str | None,
        about: Mapping[str, Any],
    ) -> dict[str, Any]:
        whom = self.access_tokens.with_userinfo(audience, scope)
        token = self.access_tokens.of_authorization(
            signers.access_token, live, client, scope=scope, audience=whom, thumbprint=thumbprint
        )
        answer = answer_of(token, thumbprint)
        if refresh_token is not None:
            answer["refresh_token"] = refresh_token
        if OPENID in scope.split():
            answer["id_token"] = self.id_tokens.mint(
                signers.id_token, live, client, access_token=token.value, nonce=nonce, about=about
            )
        return answer

    def for_client(
        self,
        signers: Signers,
        client: Client,
        at: datetime,
        *,
        scope: str,
        audience: Sequence[str],
        thumbprint: str | None,
    ) -> Unsigned:
        """Put together a token of a client on its own behalf."""
        return lambda: answer_of(
            self.access_tokens.of_client(
                signers.access_token, client, at, scope=scope, audience=audience, thumbprint=thumbprint
            ),
            thumbprint,
        )


def narrowed_audience(parameters: Parameters, allowed: Sequence[str]) -> Sequence[str] | Problem:
    """Answer the asked part of what is allowed (RFC 8707 §2.2), all of it where nothing is asked."""
    if not set(parameters.resources) <= set(allowed):
        return Problem(words.INVALID_TARGET, "A resource is not what this was granted for.")
    return parameters.resources or allowed


def narrowed_scope(asked: str | None, allowed: Sequence[str]) -> str | Problem:
    """Answer the asked part of the allowed scopes, all where none is asked; more is refused (RFC 6749 §6)."""
    if asked is None:
        return " ".join(allowed)
    if not set(asked.split()) <= set(allowed):
        return Problem(words.INVALID_SCOPE, "A scope is not what this was granted for.")
    return " ".join(dict.fromkeys(asked.split()))


def answer_of(token: Granted, thumbprint: str | None) -> dict[str, Any]:
    """Say of an access token what a client has to know (RFC 6749 §5.1)."""
    kind = "Bearer" if thumbprint is None else "DPoP"  # RFC 9449 §5
    answer = {"access_token": token.value, "token_type": kind, "expires_in": token.lifetime}
    return {**answer, "scope": token.scope} if token.scope else answer
