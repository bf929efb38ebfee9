"""POST /oauth2/par: pushed authorization requests (RFC 9126).

1. the form; no `request_uri` in it (§2.1)
2. which client, proven as at the token endpoint; its `client_id` is the request's
3. the request, checked as the authorization endpoint would: what is wrong is said here, to the client
4. 201 with a name for it, which is good for minutes and for one answer
"""

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.authorizations import requests
from authserver.authorizations.requests import PUSHED_FOR
from authserver.clients.store import Registered
from authserver.clock import Clock
from authserver.oauth import authorization_request
from authserver.oauth.authorization_request import NoWayBack
from authserver.oauth.client_auth import Unproven, authenticate, presented
from authserver.oauth.errors import NO_STORE, ForPrograms, Problem, as_json
from authserver.oauth.parameters import Parameters, from_form, to_store
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.web.runner import Runner

SECRETS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class PushedRequests:
    """The pushed authorization request endpoint."""

    def __init__(self, runner: Runner, clock: Clock, issuer: str) -> None:
        self._runner = runner
        self._clock = clock
        self._issuer = issuer
        self.router = APIRouter(tags=["oauth2"], route_class=ForPrograms)
        self.router.add_api_route(paths.PUSHED, self.submit, methods=["POST"], response_class=Response)

    async def submit(self, request: Request) -> Response:
        """Push an authorization request."""
        parameters = await from_form(request)
        unproven = presented(request.headers.getlist("authorization"), parameters)
        if isinstance(unproven, Problem):
            return as_json(unproven)
        pushed = await self._runner.write(lambda db: self._step(db, parameters, unproven))
        if isinstance(pushed, Problem):
            return as_json(pushed)
        body = {"request_uri": pushed, "expires_in": int(PUSHED_FOR.total_seconds())}
        return JSONResponse(body, 201, NO_STORE)

    def _step(self, db: Connection, parameters: Parameters, unproven: Unproven) -> str | Problem:
        now = self._clock.now()
        client = authenticate(db, unproven, now)
        if isinstance(client, Problem):
            return client
        try:
            _, back = authorization_request.way_back(parameters, Registered(client, ()))
        except NoWayBack:
            return Problem(words.INVALID_REQUEST, "The redirect_uri is not registered for this client.")
        asked = authorization_request.read(parameters, client, back, self._issuer)
        if isinstance(asked, Problem):
            return asked
        kept = {name: value for name, value in to_store(parameters).items() if name not in SECRETS}
        return requests.push(db, client.client_id, kept, now=now)
