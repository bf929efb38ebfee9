"""GET and POST /oauth2/userinfo: who is this, as far as the app may know? OpenID Connect Core §5.3, RFC 6750.

1. one access token: in the header, or in the form of a POST (shown_token.py)
2. the token, verified as at any resource service, with this server as its audience: keys and revocation list in memory
3. its scope has `openid` (403 otherwise); it is of a client that a person signed in to, neither a client's own nor one
   that a service exchanged for another
4. one read: authorization, account and profile, client. What ended since, on the list or not, tells nothing (401). A
   proof of possession is used up, which makes it a write
5. `sub` as in the token, which is `sub` of the ID token; the claims of the token's scopes, and those asked for by name
6. JSON, or signed where the client registered that

No cookie is read, so any site's page may ask with a token that it has (web/cors.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.accounts import store as accounts
from authserver.authorizations import store as authorizations
from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.clock import Clock, seconds
from authserver.keyring.signer import Signer
from authserver.oauth import possession
from authserver.oauth.errors import NO_STORE, Problem, as_json
from authserver.oauth.shown_token import ShownToken, by_proof, shown
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.protocol.dpop import ALGORITHMS
from authserver.protocol.media import ID_TOKEN_TYP
from authserver.resource.answer import answer_to
from authserver.resource.dpop import Proof
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.tokens import person
from authserver.tokens.current import CurrentTokens
from authserver.web.runner import Runner

REALM: Final = "userinfo"
JWT: Final = "application/jwt"  # OIDC Core §5.3.2
NO_OPENID: Final = Refusal(Reason.INSUFFICIENT_SCOPE, "no openid in scope", frozenset({words.OPENID}))
NOT_FOR_YOU: Final = Refusal(Reason.WRONG_TYPE, "no person gave it to this client")
OVER: Final = Refusal(Reason.SIGNED_OUT, "its account, client or authorization is over")
SPENT: Final = Refusal(Reason.BAD_PROOF, "the proof was sent before, or there is none")


@dataclass(frozen=True, slots=True)
class Told:
    """The claims, and for whom."""

    client: Client
    claims: dict[str, Any]


class UserInfo:
    """The UserInfo endpoint."""

    def __init__(
        self,
        *,
        runner: Runner,
        clock: Clock,
        issuer: str,
        current: CurrentTokens,
        signer: Callable[[str], Signer],
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._issuer = issuer
        self._current = current
        self._signer = signer
        self.router = APIRouter(tags=["oauth2"])
        self.router.add_api_route(paths.USERINFO, self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route(paths.USERINFO, self.submit, methods=["POST"], response_class=Response)

    async def show(self, request: Request) -> Response:
        """Claims about the person whose access token this is."""
        return await self._answer(request)

    async def submit(self, request: Request) -> Response:
        """The same; the token may stand in the form."""
        return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        token = await shown(request, self._issuer + paths.USERINFO, self._clock.now())
        if isinstance(token, Problem):
            return as_json(token)
        told = token if isinstance(token, Refusal) else await self._told(token)
        if isinstance(told, Refusal):
            return _refused(request, told)
        algorithm = told.client.userinfo_signed_response_alg
        if algorithm is not None:
            return self._signed(told, algorithm)
        return JSONResponse(told.claims, 200, NO_STORE)

    async def _told(self, token: ShownToken) -> Told | Refusal:
        verdict = self._current.read(token.unverified_token, self._issuer, token.thumbprint)
        if isinstance(verdict, Refusal):
            return verdict
        if not verdict.has_scope(words.OPENID):
            return NO_OPENID
        run = self._runner.read if token.proof is None else self._runner.write
        return await run(lambda db: _look(db, verdict, token.proof))

    def _signed(self, told: Told, algorithm: str) -> Response:
        """§5.3.2. Without `exp`, so that nobody takes it for an ID token (tokens/hints.py)."""
        claims = {
            **told.claims,
            "iss": self._issuer,
            "aud": told.client.client_id,
            "iat": seconds(self._clock.now()),
        }
        return Response(self._signer(algorithm).sign(ID_TOKEN_TYP, claims), 200, NO_STORE, media_type=JWT)


def _look(db: Connection, principal: Principal, proof: Proof | None) -> Told | Refusal:
    grant_id = principal.claims.get("grant_id")
    held = authorizations.look(db, grant_id) if grant_id else None
    if held is None or held.authorization.client_id != principal.client_id:
        return NOT_FOR_YOU
    authorization, account = held
    registered = clients.by_id(db, authorization.client_id)
    ended = authorization.ended_at or account.disabled_at
    if registered is None or registered.client.disabled_at or ended:
        return OVER
    if possession.claim(db, registered.client, proof) is not None:
        return SPENT
    profile = accounts.profile(db, account.id)
    claims = person.in_userinfo(account, profile, authorization, principal.scope)
    return Told(registered.client, {"sub": principal.sub, **claims})


def _refused(request: Request, refusal: Refusal) -> Response:
    answer = answer_to(
        refusal,
        realm=REALM,
        accept_language=request.headers.get("accept-language"),
        proof_algorithms=ALGORITHMS if by_proof(request) else (),
    )
    return Response(answer.content, answer.status, dict(answer.headers), media_type="application/json")
