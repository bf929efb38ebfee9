"""POST /oauth2/token: RFC 6749 §3.2 and §5.

1. the form: bounded, each parameter once, none in the query (parser differences)
2. which client, proven in one way
3. the signing keys: asked for first, so that no code is spent when none may sign
4. the grant (grants/): in one transaction, committed before the answer leaves; refusals are committed as well, as the
   end of a stolen family is one
5. never stored by anybody on the way: `Cache-Control: no-store`

What a client does on its own behalf changes nothing, so it does not wait for anybody who writes.
"""

from datetime import datetime
from typing import Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.authorizations.grants import Grants, TooEarly
from authserver.clients.registration import CLIENT_CREDENTIALS
from authserver.clients.store import Client
from authserver.clock import Clock
from authserver.oauth.authlib_bridge import Answer, TokenEndpoint, TokenRequest
from authserver.oauth.client_auth import Unproven, authenticate, presented
from authserver.oauth.errors import NO_STORE, ForPrograms, Problem, as_json
from authserver.oauth.grants.authorization_code import S256, AuthorizationCode
from authserver.oauth.grants.client_credentials import ClientCredentials
from authserver.oauth.grants.refresh_token import RefreshToken
from authserver.oauth.issuing import Issuing
from authserver.oauth.parameters import Parameters, from_form
from authserver.protocol import paths
from authserver.web.runner import Runner

OPENAPI: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        name: {"type": "string"}
                        for name in (
                            "grant_type",
                            "code",
                            "redirect_uri",
                            "code_verifier",
                            "refresh_token",
                            "scope",
                            "resource",
                            "client_id",
                            "client_secret",
                        )
                    },
                }
            }
        },
    },
    "responses": {
        "200": {"description": "Tokens (RFC 6749 §5.1)"},
        "400": {"description": "Refused; `error` says why (RFC 6749 §5.2)"},
        "401": {"description": "The client could not be authenticated"},
        "503": {"description": "Busy or without database; Retry-After says when"},
    },
}


class Token:
    """The token endpoint."""

    def __init__(self, runner: Runner, clock: Clock, issuer: str, grants: Grants, issuing: Issuing) -> None:
        self._runner = runner
        self._clock = clock
        self._uri = issuer + paths.TOKEN
        self._issuing = issuing
        self._endpoint = _endpoint(grants, issuing)
        self.router = APIRouter(tags=["oauth2"], route_class=ForPrograms)
        self.router.add_api_route(
            paths.TOKEN, self.submit, methods=["POST"], response_class=Response, openapi_extra=OPENAPI
        )

    async def submit(self, request: Request) -> Response:
        """Exchange a grant for tokens."""
        parameters = await from_form(request)
        unproven = presented(request.headers.getlist("authorization"), parameters)
        if isinstance(unproven, Problem):
            return as_json(unproven)
        answer = await self._when_allowed(parameters, unproven)
        return as_json(answer) if isinstance(answer, Problem) else JSONResponse(dict(answer), 200, NO_STORE)

    async def _when_allowed(self, parameters: Parameters, unproven: Unproven) -> Answer | Problem:
        """Wait, for a second at most, where a token of this very second would be refused by a sign-out before it."""
        only_reads = parameters.get("grant_type") == CLIENT_CREDENTIALS
        run = self._runner.read if only_reads else self._runner.write
        while True:
            try:
                return await run(lambda db: self._step(db, parameters, unproven, self._clock.now()))
            except TooEarly as early:
                await self._clock.reach(early.until)

    def _step(
        self, db: Connection, parameters: Parameters, unproven: Unproven, now: datetime
    ) -> Answer | Problem:
        client = authenticate(db, unproven, now)
        if isinstance(client, Problem):
            return client
        _require_later(client, now)
        signers = self._issuing.signers(client)
        return self._endpoint.answer(
            TokenRequest(parameters, client, uri=self._uri, db=db, now=now, signers=signers)
        )


def _require_later(client: Client, now: datetime) -> None:
    if client.tokens_not_before is not None and client.tokens_not_before > now:
        raise TooEarly(client.tokens_not_before)


def _endpoint(grants: Grants, issuing: Issuing) -> TokenEndpoint:
    endpoint = TokenEndpoint(grants, issuing)
    endpoint.register_grant(AuthorizationCode, [S256()])
    endpoint.register_grant(RefreshToken)
    endpoint.register_grant(ClientCredentials)
    return endpoint
