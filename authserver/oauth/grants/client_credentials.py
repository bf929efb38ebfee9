"""grant_type=client_credentials: OAuth 2.1 §4.2. For a confidential client on its own behalf; nothing of it is kept.

`openid` and `offline_access` say something about a person who signed in, so no such token has them.
"""

from typing import Any, Final

from authlib.oauth2.rfc6749.errors import UnauthorizedClientError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from authserver.oauth.authlib_bridge import TokenEndpoint, TokenRequest
from authserver.oauth.grants import Answer, require
from authserver.oauth.issuing import narrowed_audience, narrowed_scope
from authserver.protocol.oauth import OFFLINE_ACCESS, OPENID

ABOUT_SOMEBODY: Final = frozenset({OPENID, OFFLINE_ACCESS})


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """Gives a client a token of its own."""

    request: TokenRequest
    server: TokenEndpoint

    def generate_token(self, **_asked: Any) -> Answer:
        request, client = self.request, self.request.registered
        if client.public:  # no registration allows it, and whatever brought it about: it has proved nothing
            raise UnauthorizedClientError("A client that cannot prove who it is has nothing of its own.")
        own = [name for name in client.scopes if name not in ABOUT_SOMEBODY]
        scope = require(narrowed_scope(request.parameters.get("scope"), own))
        registered = self.server.issuing.access_tokens.audience_of(client, "")
        audience = require(narrowed_audience(request.parameters, registered))
        return self.server.issuing.for_client(
            request.signers,
            client,
            request.now,
            scope=scope,
            audience=audience,
            thumbprint=request.thumbprint,
        )
