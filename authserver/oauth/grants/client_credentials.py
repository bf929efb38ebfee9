"""grant_type=client_credentials: OAuth 2.1 §4.2. For a confidential client on its own behalf; nothing is written."""

from typing import Any

from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from authserver.oauth.authlib_bridge import TokenEndpoint, TokenRequest
from authserver.oauth.grants import Answer, require
from authserver.oauth.issuing import narrowed_audience, narrowed_scope


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """Gives a client a token of its own."""

    request: TokenRequest
    server: TokenEndpoint

    def generate_token(self, **_asked: Any) -> Answer:
        request, client = self.request, self.request.registered
        scope = require(narrowed_scope(request.parameters.get("scope"), client.scopes))
        registered = self.server.issuing.access_tokens.audience_of(client, "")
        audience = require(narrowed_audience(request.parameters, registered))
        return self.server.issuing.for_client(
            request.signers, client, request.now, scope=scope, audience=audience
        )
