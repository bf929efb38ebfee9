"""GET and POST /oauth2/authorize: OAuth 2.1 §4.1, OIDC Core §3.1.2, RFC 9126 §4, RFC 9207.

1. the parameters: each once (the query of a GET, the body of a POST)
2. a pushed request, or one that was set aside, takes their place
3. client and redirect URI; what is wrong with them is said on a page (authorization_request.py)
4. the rest of the request; what is wrong with it goes back to the client
5. who is signed in, and what comes next: authorizations/next_step.py alone decides that
6. sign-in or consent: the request is set aside under a name, and the browser sent there with it
7. the request is spent and the code written, in one transaction, before the browser is sent back

A POST from another site carries no session cookie (SameSite=Lax), so it is always set aside, and the browser comes back
by a GET of its own, with the cookie: no single sign-on would be left otherwise (SECURITY C13).
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authserver.authorizations import requests
from authserver.authorizations.grants import Allowed, Grants
from authserver.authorizations.next_step import Asked, Step, next_step
from authserver.authorizations.requests import Waiting
from authserver.clients import store as clients
from authserver.clock import Clock
from authserver.consents import store as consents
from authserver.oauth import authorization_request
from authserver.oauth.authorization_request import AuthorizationRequest, NoWayBack, WayBack
from authserver.oauth.errors import Problem
from authserver.oauth.parameters import Parameters, from_form, from_query, of_stored, to_store
from authserver.oauth.responding import Responding
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.protocol.oauth import REQUEST_URI
from authserver.sessions.current import Current, CurrentSessions
from authserver.subjects import store as subjects
from authserver.subjects.sectors import sector_of
from authserver.tokens.hints import IdTokenHints
from authserver.web.answers import Answers
from authserver.web.cookies import Cookies
from authserver.web.runner import Runner

LONGEST_HINT: Final = 255  # characters; what is longer is no help, and a redirect has to fit into a header
REFUSED: Final = {
    Step.LOGIN_REQUIRED: "The person has to sign in for this.",
    Step.CONSENT_REQUIRED: "The person has to be asked for this.",
    Step.ACCESS_DENIED: "The person did not allow it.",
}
PUSH_IT: Final = Problem(words.INVALID_REQUEST, "This client has to push its requests (RFC 9126).")
WRONG_HINT: Final = Problem(
    words.INVALID_REQUEST, "The id_token_hint is no ID token of ours for this client."
)
TWO_PEOPLE: Final = Problem(words.INVALID_REQUEST, "The id_token_hint and claims name two people.")
NOBODY: Final = ""  # no account's id
TOO_LATE: Final = "This sign-in was open for too long, or was finished already. Start again in the app."


@dataclass(frozen=True, slots=True)
class Code:
    """The request is answered with this code."""

    back: WayBack
    value: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The request is answered with this error."""

    back: WayBack
    problem: Problem


@dataclass(frozen=True, slots=True)
class Detour:
    """The browser goes somewhere else first, and comes back with `request_uri`."""

    step: Step
    client_id: str
    request_uri: str
    login_hint: str | None = None
    ui_locales: str | None = None


Outcome = Code | Refusal | Detour


class Authorize:
    """The authorization endpoint."""

    def __init__(
        self,
        *,
        runner: Runner,
        clock: Clock,
        current: CurrentSessions,
        cookies: Cookies,
        answers: Answers,
        grants: Grants,
        hints: IdTokenHints,
        issuer: str,
    ) -> None:
        self._runner = runner
        self._clock = clock
        self._current = current
        self._cookies = cookies
        self._answers = answers
        self._grants = grants
        self._hints = hints
        self._issuer = issuer
        self._responding = Responding(answers, issuer)
        self.router = APIRouter(tags=["oauth2"])
        self.router.add_api_route(paths.AUTHORIZE, self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route(paths.AUTHORIZE, self.submit, methods=["POST"], response_class=Response)

    async def show(self, request: Request) -> Response:
        """Authorize an app: answers with a redirect to it, or to the sign-in page."""
        parameters, secret = from_query(request), self._cookies.session(request)
        try:
            outcome = await self._runner.write(lambda db: self._step(db, parameters, secret))
        except NoWayBack as refused:
            return self._page(request, refused)
        return self._answer(request, outcome)

    async def submit(self, request: Request) -> Response:
        """Do the same for a form of another site: it is set aside, and the browser comes back by a GET."""
        parameters = await from_form(request)
        try:
            found = await self._runner.write(lambda db: self._set_aside(db, parameters))
        except NoWayBack as refused:
            return self._page(request, refused)
        return RedirectResponse(_resume(*found), 303)

    def _set_aside(self, db: Connection, parameters: Parameters) -> tuple[str, str]:
        now = self._clock.now()
        client_id = parameters.get("client_id") or ""
        waiting = self._waiting(db, parameters, client_id)
        if waiting is not None:
            return client_id, waiting.request_uri
        client, _ = authorization_request.way_back(parameters, clients.by_id(db, client_id))
        return client_id, requests.set_aside(db, client.client_id, to_store(parameters), now=now)

    def _step(self, db: Connection, unread: Parameters, secret: str | None) -> Outcome:
        client_id = unread.get("client_id") or ""
        waiting = self._waiting(db, unread, client_id)
        parameters = of_stored(waiting.request.parameters) if waiting else unread
        client, back = authorization_request.way_back(parameters, clients.by_id(db, client_id))
        asked = authorization_request.read(parameters, client, back, self._issuer)
        if client.require_pushed_authorization_requests and not (waiting and waiting.request.pushed):
            asked = PUSH_IT
        if isinstance(asked, Problem):
            return self._refuse(db, waiting, back, asked)
        who = self._current.find(db, secret) if secret else None
        return self._go_on(db, asked, parameters, waiting, who)

    def _waiting(self, db: Connection, parameters: Parameters, client_id: str) -> Waiting | None:
        """Find the request that stands behind `request_uri`.

        :raises NoWayBack: it is over.
        """
        name = parameters.get("request_uri") or ""
        if not name.startswith(REQUEST_URI):
            return None
        found = requests.find(db, name, client_id, now=self._clock.now())
        if found is None:
            raise NoWayBack(TOO_LATE)
        return found

    def _go_on(
        self,
        db: Connection,
        asked: AuthorizationRequest,
        parameters: Parameters,
        waiting: Waiting | None,
        who: Current | None,
    ) -> Outcome:
        subject = self._subject(db, asked)
        if isinstance(subject, Problem):
            return self._refuse(db, waiting, asked.way_back, subject)
        consented = consents.scopes(db, who.account.id, asked.client.client_id) if who else frozenset()
        step = next_step(_asked(asked, waiting, who, subject), who, consented)
        if step is Step.PROCEED and who is not None:
            return self._proceed(db, asked, waiting, who)
        if step in REFUSED:
            return self._refuse(db, waiting, asked.way_back, Problem(str(step.value), REFUSED[step]))
        now, client_id = self._clock.now(), asked.client.client_id
        name = (
            waiting.request_uri
            if waiting
            else requests.set_aside(db, client_id, to_store(parameters), now=now)
        )
        return Detour(step, client_id, name, asked.login_hint, asked.ui_locales)

    def _subject(self, db: Connection, asked: AuthorizationRequest) -> str | Problem | None:
        """Answer the id of the one account that will do, NOBODY where there is none, None where anybody will."""
        named = asked.claims.subject
        if asked.id_token_hint is not None:
            hint = self._hints.read(asked.id_token_hint)
            if hint is None or hint.client_id != asked.client.client_id:
                return WRONG_HINT
            if named not in (None, hint.sub):
                return TWO_PEOPLE
            named = hint.sub
        sector = sector_of(asked.client)
        if named is None or sector is None:
            return named
        return subjects.account_id(db, named, sector) or NOBODY

    def _proceed(
        self, db: Connection, asked: AuthorizationRequest, waiting: Waiting | None, who: Current
    ) -> Outcome:
        if waiting is not None and not requests.finish(db, waiting, now=who.at):
            raise NoWayBack(TOO_LATE)
        allowed = Allowed(
            client_id=asked.client.client_id,
            scope=" ".join(asked.scope),
            audience=asked.audience,
            redirect_uri=asked.redirect_uri,
            code_challenge=asked.code_challenge,
            nonce=asked.nonce,
            claims=asked.claims.to_store(),
            key_thumbprint=asked.key_thumbprint,
            offline=asked.offline,
            sector=sector_of(asked.client),
        )
        return Code(asked.way_back, self._grants.issue_code(db, allowed, who))

    def _refuse(self, db: Connection, waiting: Waiting | None, back: WayBack, problem: Problem) -> Refusal:
        if waiting is not None:
            requests.finish(db, waiting, now=self._clock.now())
        return Refusal(back, problem)

    def _answer(self, request: Request, outcome: Outcome) -> Response:
        if isinstance(outcome, Code):
            return self._responding.code(request, outcome.back, outcome.value)
        if isinstance(outcome, Refusal):
            return self._responding.problem(request, outcome.back, outcome.problem)
        return RedirectResponse(_detour(outcome), 303)

    def _page(self, request: Request, refused: NoWayBack) -> Response:
        say = self._answers.say
        return self._answers.page(
            request,
            "error.html",
            400,
            title=say(request, "This app cannot sign you in"),
            description=say(request, refused.reason),
            retry_after=None,
        )


def _asked(
    asked: AuthorizationRequest,
    waiting: Waiting | None,
    who: Current | None,
    subject: str | None,
) -> Asked:
    same = waiting is not None and who is not None and waiting.request.session_id == who.session.id
    return Asked(
        at=waiting.request.created_at if waiting else None,
        scope=frozenset(asked.scope) | asked.claims.scopes,
        prompt=asked.prompt,
        max_age=asked.max_age,
        subject=subject,
        first_party=asked.client.first_party,
        allowed=waiting.request.allowed if waiting is not None and same else None,
    )


def _resume(client_id: str, request_uri: str) -> str:
    return f"{paths.AUTHORIZE}?{urlencode({'client_id': client_id, 'request_uri': request_uri})}"


def _detour(to: Detour) -> str:
    back = _resume(to.client_id, to.request_uri)
    if to.step is Step.ASK:
        page, query = "/consent", {"client_id": to.client_id, "request_uri": to.request_uri}
    else:
        page, query = "/login", {"return_to": back, "again": "true"}
    hints = {"login_hint": to.login_hint, "ui_locales": to.ui_locales}
    kept = {name: text for name, text in hints.items() if text and len(text) <= LONGEST_HINT}
    return f"{page}?{urlencode({**query, **kept})}"
