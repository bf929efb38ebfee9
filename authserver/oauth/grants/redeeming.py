"""The last step of an authorization that waits to be redeemed, by its code or by the code of a device."""

from datetime import timedelta

from authlib.oauth2.rfc6749.errors import InvalidGrantError

from authserver.authorizations.grants import Live
from authserver.clients.registration import REFRESH_TOKEN
from authserver.oauth.authlib_bridge import TokenEndpoint, TokenRequest
from authserver.oauth.grants import Answer, require
from authserver.oauth.issuing import narrowed_audience
from authserver.tokens import person


def redeem(server: TokenEndpoint, request: TokenRequest, live: Live) -> Answer:
    """Claim the code, then sign: nothing that is signed can be lost to somebody who was faster."""
    client = request.registered
    held = live.authorization
    if held.key_thumbprint not in (None, request.thumbprint):
        raise InvalidGrantError("The code is bound to another key than the one that was proved.")
    audience = require(narrowed_audience(request.parameters, held.audience))
    claimed = server.grants.use_code(
        request.db,
        live,
        refreshable=REFRESH_TOKEN in client.grant_types,
        refresh_lifetime=timedelta(seconds=client.refresh_token_lifetime or 0),
    )
    if claimed is None:
        raise InvalidGrantError("The code was used already.")
    if client.public and request.thumbprint is not None:
        server.grants.bind(request.db, live, request.thumbprint)
    return server.issuing.for_account(
        request.signers,
        live,
        client,
        scope=held.scope,
        audience=audience,
        refresh_token=claimed[0],
        nonce=held.nonce,
        thumbprint=request.thumbprint,
        about=person.in_id_token(request.db, live),
    )
