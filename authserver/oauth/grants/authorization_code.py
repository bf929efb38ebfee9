"""grant_type=authorization_code: OAuth 2.1 §4.1.3, RFC 7636 §4.6, OIDC Core §3.1.3.

In Authlib's order: the client may use the grant; the code is this client's, unused, not over, and its session lives
(used: all that came of it ends); `redirect_uri` is the same; the PKCE verifier fits; the key is the one that the request
named (RFC 9449 §10). Only then is the code claimed, by one UPDATE that a hundred exchanges at once cannot all win, and
the tokens are signed.
"""

from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge

from authserver.accounts.store import Account
from authserver.authorizations.grants import Live
from authserver.oauth.authlib_bridge import ClientView, TokenEndpoint, TokenRequest
from authserver.oauth.grants import Answer
from authserver.oauth.grants.redeeming import redeem


class CodeView:
    """A code as Authlib's grant asks for it."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.code_challenge = live.authorization.code_challenge

    def get_redirect_uri(self) -> str | None:
        return self.live.authorization.redirect_uri

    def get_scope(self) -> str:
        return self.live.authorization.scope


class S256(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """PKCE with S256 alone; whatever is wrong with a verifier makes the code worth nothing: `invalid_grant`."""

    def get_authorization_code_challenge_method(self, _code: CodeView) -> str:
        return "S256"

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        try:
            super().validate_code_verifier(grant, result)
        except OAuth2Error as error:
            raise InvalidGrantError(error.description) from None


class AuthorizationCode(AuthorizationCodeGrant):  # type: ignore[misc]  # as above
    """Exchanges a code for tokens."""

    request: TokenRequest
    server: TokenEndpoint

    def query_authorization_code(self, code: str, client: ClientView) -> CodeView | None:
        request = self.request
        live = self.server.grants.find_code(request.db, code, client.client.client_id, request.now)
        return None if live is None else CodeView(live)

    def authenticate_user(self, code: CodeView) -> Account:
        return code.live.account

    def generate_token(self, **_asked: Any) -> Answer:
        live: Live = self.request.authorization_code.live
        return redeem(self.server, self.request, live)

    def delete_authorization_code(self, _code: CodeView) -> None:
        """Keep it: its second use has to be found out."""
