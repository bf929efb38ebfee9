"""POST /oauth2/par: pushed authorization requests (RFC 9126).

1. the form; no `request_uri` in it (§2.1)
2. which client, proven as at the token endpoint; its `client_id` is the request's
3. the request, checked as the authorization endpoint would: what is wrong is said here, to the client
4. a DPoP proof: the code will be bound to its key (RFC 9449 §10.1)
5. 201 with a name for it, which is good for minutes and for one answer
"""

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.authorizations import requests
from authserver.authorizations.requests import PUSHED_FOR
from authserver.clients.store import Registered
from authserver.clock import Clock
from authserver.oauth import authorization_request, possession
from authserver.oauth.authorization_request import NoWayBack
from authserver.oauth.client_auth import Unproven, authenticate, presented
from authserver.oauth.errors import NO_STORE, Problem, as_json
from authserver.oauth.parameters import Parameters, from_form, to_store
from authserver.oauth.programs import ForPrograms
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.protocol.bearer import INVALID_DPOP_PROOF
from authserver.resource.dpop import Proof
from authserver.web.runner import Runner

NO_REDIRECT_URI = Problem(words.INVALID_REQUEST, "The redirect_uri is missing.")  # FAPI 2.0 §5.3.2.2
SECRETS = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


class PushedRequests:
    """The pushed authorization request endpoint."""

    def __init__(self, runner: Runner, clock: Clock, issuer: str) -> None:
        self._runner = runner
        self._clock = clock
        self._issuer = issuer
        self._uri = issuer + paths.PUSHED
        self.router = APIRouter(tags=["oauth2"], route_class=ForPrograms)
        self.router.add_api_route(paths.PUSHED, self.submit, methods=["POST"], response_class=Response)

    async def submit(self, request: Request) -> Response:
        """Push an authorization request."""
        parameters = await from_form(request)
        unproven = presented(request.headers.getlist("authorization"), parameters)
        if isinstance(unproven, Problem):
            return as_json(unproven)
        proof = possession.shown(request.headers.getlist("dpop"), self._uri, self._clock.now())
        if isinstance(proof, Problem):
            return as_json(proof)
        pushed = await self._runner.write(lambda db: self._step(db, parameters, unproven, proof))
        if isinstance(pushed, Problem):
            return as_json(pushed)
        body = {"request_uri": pushed, "expires_in": int(PUSHED_FOR.total_seconds())}
        return JSONResponse(body, 201, NO_STORE)

    def _step(
        self, db: Connection, parameters: Parameters, unproven: Unproven, proof: Proof | None
    ) -> str | Problem:
        now = self._clock.now()
        client = authenticate(db, unproven, now, self._issuer)
        if isinstance(client, Problem):
            return client
        if client.require_pushed_authorization_requests and parameters.get("redirect_uri") is None:
            return NO_REDIRECT_URI
        try:
            _, back = authorization_request.way_back(parameters, Registered(client, ()))
        except NoWayBack:
            return Problem(words.INVALID_REQUEST, "The redirect_uri is not registered for this client.")
        asked = authorization_request.read(parameters, client, back, self._issuer)
        if isinstance(asked, Problem):
            return asked
        kept = {name: value for name, value in to_store(parameters).items() if name not in SECRETS}
        if proof is not None:
            problem = _unbindable(asked.key_thumbprint, proof) or possession.claim(db, client, proof)
            if problem is not None:
                return problem
            kept["dpop_jkt"] = proof.thumbprint
        return requests.push(db, client.client_id, kept, now=now)


def _unbindable(named: str | None, proof: Proof) -> Problem | None:
    if named in (None, proof.thumbprint):
        return None
    return Problem(INVALID_DPOP_PROOF, "The dpop_jkt is not the thumbprint of the proof's key.")
