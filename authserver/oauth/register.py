"""POST /oauth2/register and GET, PUT, DELETE /oauth2/register/{client_id}: RFC 7591, RFC 7592, OIDC Registration §3, §4.

1. the body: JSON, bounded, each member once
2. the token: an invitation to register, or the registration access token of this very client; anything else is 401, in
   the same words whether there is such a client or not
3. the registration: in the standards' words alone, so nobody makes itself first-party (clients/metadata.py), and within
   what a client may give itself (clients/invited/rules.py). Its id is ours to choose
4. one use of the invitation is claimed, the client written, its secret made: all of it or nothing
5. everything that is registered now is answered; the secret only where it is new. What is kept is hashed

A PUT replaces the whole registration, and the token by which it came; what the operator decided about the client stays.
A DELETE ends every token of the client. Authlib's endpoints are not used: they look token and client up apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.accounts.throttling import Counter, Throttle, Wait, Window
from authserver.audit.store import Entry, record
from authserver.clients import metadata
from authserver.clients import store as clients
from authserver.clients.contradictions import Limits
from authserver.clients.invited import invitations, registration_tokens
from authserver.clients.invited.registration_tokens import Opened
from authserver.clients.invited.rules import beyond
from authserver.clients.registering import register, replace
from authserver.clients.registration import Registration
from authserver.clients.secrets import is_one_of
from authserver.clients.store import Client
from authserver.clock import Clock
from authserver.oauth.errors import NO_STORE, Problem, as_json
from authserver.oauth.programs import ForPrograms
from authserver.oauth.registration import OURS_TO_SAY, described, read_json, unfit, unverified_token
from authserver.opaque import Secret, new_id
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.protocol.bearer import INVALID_TOKEN
from authserver.revocations.clients import end_tokens
from authserver.web.runner import Runner

CHANGES: Final = (Window(60, 3_600),)  # of one client: each leaves a line in the audit log
NO: Final = Problem(
    INVALID_TOKEN,
    "Send a token that is good for this: an invitation of the operator, or the registration access token.",
    401,
    f'Bearer realm="registration", error="{INVALID_TOKEN}"',
)
NOT_ITSELF: Final = Problem(
    words.INVALID_CLIENT_METADATA, "Send the client_id of this client, and its client_secret or none."
)
NOT_TO_SAY: Final = Problem(words.INVALID_CLIENT_METADATA, f"Leave these out: {', '.join(OURS_TO_SAY)}.")


@dataclass(frozen=True, slots=True)
class Done:
    """A client as it is registered now, and what is told of it this once."""

    client: Client
    token: str
    secret: Secret | None = None


class Register:
    """Dynamic client registration."""

    def __init__(
        self, runner: Runner, clock: Clock, issuer: str, limits: Limits, tokens_live: timedelta
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._issuer = issuer
        self._limits = limits
        self._tokens_live = tokens_live
        self.router = APIRouter(tags=["oauth2"], route_class=ForPrograms)
        own = f"{paths.REGISTER}/{{client_id}}"
        for path, method, endpoint in (
            (paths.REGISTER, "POST", self.create),
            (own, "GET", self.show),
            (own, "PUT", self.change),
            (own, "DELETE", self.delete),
        ):
            self.router.add_api_route(path, endpoint, methods=[method], response_class=Response)

    async def create(self, request: Request) -> Response:
        """Register a client."""
        said, token = await read_json(request), unverified_token(request)
        return self._answer(await self._runner.write(lambda db: self._create(db, said, token)), 201)

    async def show(self, request: Request, client_id: str) -> Response:
        """Show a client its registration."""
        token = unverified_token(request)
        opened = await self._runner.read(lambda db: registration_tokens.opens(db, client_id, token))
        return self._answer(NO if opened is None else Done(opened.client, token))

    async def change(self, request: Request, client_id: str) -> Response:
        """Replace a registration."""
        said, token = await read_json(request), unverified_token(request)
        return self._answer(await self._runner.write(lambda db: self._change(db, client_id, said, token)))

    async def delete(self, request: Request, client_id: str) -> Response:
        """Forget a client and end its tokens."""
        token = unverified_token(request)
        refused = await self._runner.write(lambda db: self._delete(db, client_id, token))
        return as_json(refused) if refused else Response(status_code=204, headers=NO_STORE)

    def _create(self, db: Connection, said: Mapping[str, Any], token: str) -> Done | Problem:
        now = self._clock.now()
        invitation = invitations.find(db, token, now)
        if invitation is None:
            return NO
        registration = self._read(said, invitation.scope)
        if isinstance(registration, Problem):
            return registration
        if not invitations.use(db, invitation, now):
            return NO
        made = Client.of(registration, new_id(), registered_by=invitation.id, now=now)
        secret = register(db, made, now)
        fresh = registration_tokens.give(db, made.client_id, invitation.scope, now)
        self._record(db, "client.registered", made, invitation=invitation.id)
        return Done(made, fresh, secret)

    def _change(self, db: Connection, client_id: str, said: Mapping[str, Any], token: str) -> Done | Problem:
        now = self._clock.now()
        opened = registration_tokens.opens(db, client_id, token)
        if opened is None:
            return NO
        if (problem := self._not_itself(db, opened.client, said)) is not None:
            return problem
        registration = self._read(said, opened.scope, opened.client)
        if isinstance(registration, Problem):
            return registration
        counted = Counter.of("registration", client_id.encode(), *CHANGES)
        if isinstance(wait := Throttle(db, now).count(counted), Wait):
            return _too_often(wait)
        return self._replace(db, opened, registration)

    def _replace(self, db: Connection, opened: Opened, registration: Registration) -> Done:
        before, now = opened.client, self._clock.now()
        changed = replace(db, before, registration, now)
        fresh = registration_tokens.give(db, before.client_id, opened.scope, now)
        after = Client.of(
            registration, before.client_id, registered_by=before.registered_by, now=before.created_at
        )
        self._record(db, "client.updated", after, changed=sorted(changed.columns))
        return Done(after, fresh, changed.secret)

    def _delete(self, db: Connection, client_id: str, token: str) -> Problem | None:
        opened = registration_tokens.opens(db, client_id, token)
        if opened is None:
            return NO
        end_tokens(db, opened.client, self._clock.now(), self._tokens_live)
        clients.delete(db, client_id)
        self._record(db, "client.deleted", opened.client)
        return None

    def _read(
        self, said: Mapping[str, Any], scope: str, before: Client | None = None
    ) -> Registration | Problem:
        """Read a whole registration; what only the operator decides is as it was before."""
        ours = metadata.own_words(before) if before else {}
        found = metadata.read(said, ours, limits=self._limits)
        if not isinstance(found, Registration):
            return unfit(found)
        problems = list(beyond(found, scope, before))
        return unfit(problems) if problems else found

    def _not_itself(self, db: Connection, client: Client, said: Mapping[str, Any]) -> Problem | None:
        """RFC 7592 §2.2: which client it is has to be said again, and nobody chooses a secret."""
        if any(name in said for name in OURS_TO_SAY):
            return NOT_TO_SAY
        if said.get("client_id") != client.client_id:
            return NOT_ITSELF
        secret = said.get("client_secret")
        if secret is None:
            return None
        found = clients.by_id(db, client.client_id)
        known = found.secrets if found else ()
        is_right = isinstance(secret, str) and is_one_of(secret, known, self._clock.now())
        return None if is_right else NOT_ITSELF

    def _record(self, db: Connection, event: str, client: Client, **detail: Any) -> None:
        about = {"client": client.client_id, "name": client.client_name, **detail}
        record(db, Entry(event, self._clock.now(), "server", detail=about))

    def _answer(self, done: Done | Problem, status: int = 200) -> Response:
        if isinstance(done, Problem):
            return as_json(done)
        body = described(done.client, self._issuer, done.token, done.secret)
        return JSONResponse(body, status, NO_STORE)


def _too_often(wait: Wait) -> Problem:
    return Problem(words.SLOW_DOWN, "This client changes too often: wait.", 429, retry_after=wait.seconds)
