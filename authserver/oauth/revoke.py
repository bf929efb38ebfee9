"""POST /oauth2/revoke: token revocation (RFC 7009), for refresh tokens and for access tokens that are JWTs.

1. the form; which client, proven as at the token endpoint
2. a refresh token of this client ends its authorization, and every access token of it (§2.1)
3. an access token of this client goes on the revocation list by its `jti`, until it would have expired: every resource
   service that follows the feed refuses it within a second
4. 200 for everything else: an unknown token is as good as revoked, and nobody learns whose it is (§2.2)
"""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from authserver.audit.store import Entry, record
from authserver.authorizations.grants import Grants
from authserver.clients.store import Client
from authserver.clock import Clock
from authserver.oauth.client_auth import Unproven, authenticate, presented
from authserver.oauth.errors import NO_STORE, Problem, as_json
from authserver.oauth.parameters import Parameters, from_form
from authserver.oauth.programs import ForPrograms
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.protocol.revocation import Kind
from authserver.replays import store as replays
from authserver.resource.principal import Principal
from authserver.revocations import store as revocations
from authserver.tokens.genuine import GenuineTokens
from authserver.web.runner import Runner


class Revoke:
    """The revocation endpoint."""

    def __init__(
        self,
        runner: Runner,
        clock: Clock,
        issuer: str,
        grants: Grants,
        genuine: GenuineTokens,
        clock_skew: timedelta,
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._issuer = issuer
        self._grants = grants
        self._genuine = genuine
        self._clock_skew = clock_skew
        self.router = APIRouter(tags=["oauth2"], route_class=ForPrograms)
        self.router.add_api_route(paths.REVOKE, self.submit, methods=["POST"], response_class=Response)

    async def submit(self, request: Request) -> Response:
        """Revoke a token."""
        parameters = await from_form(request)
        unproven = presented(request.headers.getlist("authorization"), parameters)
        if isinstance(unproven, Problem):
            return as_json(unproven)
        problem = await self._runner.write(lambda db: self._step(db, parameters, unproven))
        return as_json(problem) if problem else Response(status_code=200, headers=NO_STORE)

    def _step(self, db: Connection, parameters: Parameters, unproven: Unproven) -> Problem | None:
        now = self._clock.now()
        client = authenticate(db, unproven, now, self._issuer)
        if isinstance(client, Problem):
            return client
        token = parameters.get("token")
        if token is None:
            return Problem(words.INVALID_REQUEST, "The parameter token is missing.")
        principal = self._genuine.read(token)
        if principal is not None:
            self._revoke(db, principal, client, now)
        else:
            self._grants.end_by_refresh(db, token, client.client_id, now)
        return None

    def _revoke(self, db: Connection, principal: Principal, client: Client, now: datetime) -> None:
        if principal.client_id != client.client_id:
            return
        until = datetime.fromtimestamp(principal.expires_at, UTC) + self._clock_skew
        if not replays.claim(db, "revoked_token", principal.jti, expires_at=until):
            return  # once is enough: else one token could fill the list that every resource service holds
        revocations.append(db, Kind.JTI, principal.jti, now=now, expires_at=until)
        detail = {"client_id": client.client_id, "jti": principal.jti}
        record(db, Entry("token.revoked", now, "server", session_id=principal.sid, detail=detail))
