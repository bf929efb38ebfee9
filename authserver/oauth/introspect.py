"""POST /oauth2/introspect: is this token good, now? RFC 7662, and RFC 9701 for whoever wants the answer signed.

1. the form; which client, proven as at the token endpoint, and able to prove anything (a public client is nobody)
2. an access token: verified as at any resource service, with the keys and the revocation list in memory, for an audience
   that is this client's own; or this client's own token
3. a refresh token: this client's own
4. everything else is `{"active": false}` and nothing more: not whose it was, not why (§2.2)

No database is asked about an access token: what a resource service refuses is refused here at the same moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.authorizations.grants import Grants
from authserver.clients.store import Client
from authserver.clock import Clock, seconds
from authserver.oauth.client_auth import Unproven, authenticate, presented
from authserver.oauth.errors import NO_STORE, Problem, as_json, client_problem
from authserver.oauth.issuing import Issuing
from authserver.oauth.parameters import Parameters, from_form
from authserver.oauth.programs import ForPrograms
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.protocol.media import INTROSPECTION, INTROSPECTION_TYP
from authserver.resource.principal import Principal
from authserver.tokens.current import CurrentTokens
from authserver.tokens.genuine import GenuineTokens
from authserver.web.runner import Runner

INACTIVE: Final[Mapping[str, Any]] = {"active": False}


@dataclass(frozen=True, slots=True)
class Found:
    """The answer, and for whom."""

    client: Client
    answer: Mapping[str, Any]


class Introspect:
    """The introspection endpoint."""

    def __init__(
        self,
        *,
        runner: Runner,
        clock: Clock,
        issuer: str,
        grants: Grants,
        current: CurrentTokens,
        genuine: GenuineTokens,
        issuing: Issuing,
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._issuer = issuer
        self._grants = grants
        self._current = current
        self._genuine = genuine
        self._issuing = issuing
        self.router = APIRouter(tags=["oauth2"], route_class=ForPrograms)
        self.router.add_api_route(paths.INTROSPECT, self.submit, methods=["POST"], response_class=Response)

    async def submit(self, request: Request) -> Response:
        """Say whether a token is good."""
        parameters = await from_form(request)
        unproven = presented(request.headers.getlist("authorization"), parameters)
        if isinstance(unproven, Problem):
            return as_json(unproven)
        run = self._runner.write if unproven.single_use else self._runner.read
        found = await run(lambda db: self._step(db, parameters, unproven))
        if isinstance(found, Problem):
            return as_json(found)
        if INTROSPECTION in request.headers.get("accept", ""):
            return self._signed(found)
        return JSONResponse(dict(found.answer), 200, NO_STORE)

    def _step(self, db: Connection, parameters: Parameters, unproven: Unproven) -> Found | Problem:
        now = self._clock.now()
        client = authenticate(db, unproven, now, self._issuer)
        if isinstance(client, Problem):
            return client
        if client.public:
            return client_problem(by_header=unproven.by_header)
        token = parameters.get("token")
        if token is None:
            return Problem(words.INVALID_REQUEST, "The parameter token is missing.")
        answer = self._access_token(token, client) or self._refresh_token(db, token, client, now)
        return Found(client, answer or INACTIVE)

    def _access_token(self, token: str, client: Client) -> Mapping[str, Any] | None:
        own = self._genuine.read(token)
        if own is None:
            return None
        audience = _audience(own)
        if own.client_id != client.client_id and not set(audience) & {*client.audiences, client.client_id}:
            return None
        principal = self._current.confirm(own)
        return _described(principal) if isinstance(principal, Principal) else None

    def _refresh_token(
        self, db: Connection, token: str, client: Client, now: datetime
    ) -> Mapping[str, Any] | None:
        live = self._grants.look_at_refresh(db, token, client.client_id, now)
        if live is None:
            return None
        held = live.authorization
        return {
            "active": True,
            "client_id": held.client_id,
            "exp": seconds(held.expires_at),
            "iss": self._issuer,
            "scope": held.scope,
            "sub": live.subject,
        }

    def _signed(self, found: Found) -> Response:
        """RFC 9701 §5: what was said is nested, so that nobody can take the answer for a token."""
        claims = {
            "iss": self._issuer,
            "aud": found.client.client_id,
            "iat": seconds(self._clock.now()),
            "token_introspection": dict(found.answer),
        }
        signed = self._issuing.signer(self._issuing.algorithm).sign(INTROSPECTION_TYP, claims)
        return Response(signed, 200, NO_STORE, media_type=INTROSPECTION)


def _audience(principal: Principal) -> tuple[str, ...]:
    audience = principal.claims["aud"]
    return (audience,) if isinstance(audience, str) else tuple(audience)


def _described(principal: Principal) -> Mapping[str, Any]:
    claims = {name: _plain(value) for name, value in principal.claims.items()}
    return {"active": True, "token_type": "DPoP" if "cnf" in claims else "Bearer", **claims}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
