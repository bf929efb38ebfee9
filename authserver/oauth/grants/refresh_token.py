"""grant_type=refresh_token: OAuth 2.1 §4.3, RFC 9700 §4.14, OIDC Core §12.

In Authlib's order: the client may use the grant; the token is this client's, the newest of its family or the one just
before it, and account and session are still good (older: it was stolen, and the family ends); no scope and no resource
beyond what was allowed; a client that has nothing else to show has the key that its tokens are bound to (RFC 9449 §5).
Then the next one takes its place.
"""

from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc6749.grants import RefreshTokenGrant

from authserver.accounts.store import Account
from authserver.authorizations.grants import Live
from authserver.oauth.authlib_bridge import ClientView, TokenEndpoint, TokenRequest
from authserver.oauth.grants import Answer, require
from authserver.oauth.issuing import narrowed_audience, narrowed_scope
from authserver.tokens import person


class RefreshTokenView:
    """A refresh token as Authlib's grant asks for it."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def check_client(self, client: ClientView) -> bool:
        return self.live.authorization.client_id == client.client.client_id

    def get_scope(self) -> str:
        return self.live.authorization.scope


class RefreshToken(RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    """Exchanges a refresh token for new tokens."""

    request: TokenRequest
    server: TokenEndpoint

    def authenticate_refresh_token(self, token: str) -> RefreshTokenView | None:
        request = self.request
        live = self.server.grants.find_refresh(request.db, token, request.registered.client_id, request.now)
        return None if live is None else RefreshTokenView(live)

    def authenticate_user(self, token: RefreshTokenView) -> Account:
        return token.live.account

    def issue_token(self, _account: Account, token: RefreshTokenView) -> Answer:
        request, client, live = self.request, self.request.registered, token.live
        held = live.authorization
        ours = self.server.issuing.access_tokens.issuer
        allowed = [each for each in held.audience if each in {*client.audiences, ours}]
        if not allowed:
            raise InvalidGrantError("Whom the tokens were for is no longer registered for this client.")
        audience = require(narrowed_audience(request.parameters, allowed))
        still = [name for name in held.scope.split() if name in client.scopes]
        scope = require(narrowed_scope(request.parameters.get("scope"), still))
        if client.public:
            self._require_its_key(live)
        shown = request.parameters.values["refresh_token"]
        following = self.server.grants.use_refresh(
            request.db, live, shown, rotate=client.rotate_refresh_tokens
        )
        return self.server.issuing.for_account(
            request.signers,
            live,
            client,
            scope=scope,
            audience=audience,
            refresh_token=following,
            nonce=None,
            thumbprint=request.thumbprint,
            about=person.in_id_token(request.db, live),
        )

    def _require_its_key(self, live: Live) -> None:
        """The first key that is proved is the one from then on."""
        bound_to, proved = live.authorization.key_thumbprint, self.request.thumbprint
        if bound_to not in (None, proved):
            raise InvalidGrantError("The refresh token is bound to another key than the one that was proved.")
        if proved is not None:
            self.server.grants.bind(self.request.db, live, proved)

    def revoke_old_credential(self, _token: RefreshTokenView) -> None:
        """Nothing is left to do: taking its place was the claim."""
