"""POST /oauth2/token: RFC 6749 §3.2 and §5.

1. the form: bounded, each parameter once, none in the query (parser differences)
2. which client, proven in one way
3. a DPoP proof, used up: which key the tokens will be bound to
4. the signing keys: asked for first, so that no code is spent when none may sign
5. the grant (grants/): in one transaction, committed before the answer leaves; refusals are committed as well, as the
   end of a stolen family is one
6. the signatures, when the transaction is over: they take longer than all the rest, and others wait for the database
7. never stored by anybody on the way: `Cache-Control: no-store`

What a client does on its own behalf changes nothing, so it does not wait for anybody who writes, unless it sent
something that is good once.
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
from authserver.oauth import possession
from authserver.oauth.authlib_bridge import TokenEndpoint, TokenRequest
from authserver.oauth.client_auth import Unproven, authenticate, presented
from authserver.oauth.errors import NO_STORE, Problem, as_json
from authserver.oauth.grants.authorization_code import S256, AuthorizationCode
from authserver.oauth.grants.client_credentials import ClientCredentials
from authserver.oauth.grants.device_code import DeviceCode
from authserver.oauth.grants.refresh_token import RefreshToken
from authserver.oauth.grants.token_exchange import TokenExchange
from authserver.oauth.issuing import Issuing, Unsigned
from authserver.oauth.parameters import Parameters, from_form
from authserver.oauth.programs import ForPrograms
from authserver.protocol import paths
from authserver.resource.dpop import Proof
from authserver.tokens.exchanged import Exchange
from authserver.web.runner import Runner

GRANTS: Final = (
    (AuthorizationCode, (S256(),)),
    (RefreshToken, ()),
    (ClientCredentials, ()),
    (DeviceCode, ()),
    (TokenExchange, ()),
)
GRANT_TYPES: Final = tuple(grant.GRANT_TYPE for grant, _ in GRANTS)  # what discovery says
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
                            "device_code",
                            "subject_token",
                            "subject_token_type",
                            "audience",
                            "scope",
                            "resource",
                            "client_id",
                            "client_secret",
                            "client_assertion",
                            "client_assertion_type",
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

    def __init__(
        self,
        runner: Runner,
        clock: Clock,
        issuer: str,
        grants: Grants,
        issuing: Issuing,
        exchange: Exchange,
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._issuer = issuer
        self._uri = issuer + paths.TOKEN
        self._issuing = issuing
        self._endpoint = _endpoint(grants, issuing, exchange)
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
        proof = possession.shown(request.headers.getlist("dpop"), self._uri, self._clock.now())
        if isinstance(proof, Problem):
            return as_json(proof)
        unsigned = await self._when_allowed(parameters, unproven, proof)
        if isinstance(unsigned, Problem):
            return as_json(unsigned)
        return JSONResponse(dict(await self._runner.work(unsigned)), 200, NO_STORE)

    async def _when_allowed(
        self, parameters: Parameters, unproven: Unproven, proof: Proof | None
    ) -> Unsigned | Problem:
        """Wait, for a second at most, where a token of this very second would be refused by a sign-out before it."""
        single_use = unproven.single_use or proof is not None
        only_reads = parameters.get("grant_type") == CLIENT_CREDENTIALS and not single_use
        run = self._runner.read if only_reads else self._runner.write
        while True:
            try:
                return await run(lambda db: self._step(db, parameters, unproven, proof, self._clock.now()))
            except TooEarly as early:
                await self._clock.reach(early.until)

    def _step(
        self, db: Connection, parameters: Parameters, unproven: Unproven, proof: Proof | None, now: datetime
    ) -> Unsigned | Problem:
        client = authenticate(db, unproven, now, self._issuer)
        if isinstance(client, Problem):
            return client
        if (problem := possession.claim(db, client, proof)) is not None:
            return problem
        _require_later(client, now)
        signers = self._issuing.signers(client)
        key = None if proof is None else proof.thumbprint
        return self._endpoint.answer(
            TokenRequest(parameters, client, uri=self._uri, db=db, now=now, signers=signers, thumbprint=key)
        )


def _require_later(client: Client, now: datetime) -> None:
    if client.tokens_not_before is not None and client.tokens_not_before > now:
        raise TooEarly(client.tokens_not_before)


def _endpoint(grants: Grants, issuing: Issuing, exchange: Exchange) -> TokenEndpoint:
    endpoint = TokenEndpoint(grants, issuing, exchange)
    for grant, extensions in GRANTS:
        endpoint.register_grant(grant, extensions)
    return endpoint
