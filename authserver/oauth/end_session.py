"""GET and POST /oauth2/logout: OpenID Connect RP-Initiated Logout 1.0, and the page that asks first.

1. the parameters: each once (the query of a GET, the body of a POST)
2. the hint: an ID token of ours, expired or not, made for the client that asks; else nothing of the request is believed
3. the way back: registered for that client, to the letter (§3); else there is none
4. who is signed in, and whether the hint is about this very session
5. the session ends, at once with such a hint and otherwise when its person has said so: `GET` leads here from any
   image of any site, and a stolen hint from any other browser (SECURITY O94, ASVS 10.6.2)
6. the apps are told (back channel: in the same transaction; front channel: by the page), and the browser is sent on

Nobody is redirected without a valid hint or their own click. A POST from another site carries no session cookie
(SameSite=Lax), so the browser comes back by a GET of its own, as at the authorization endpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from authserver.clients import redirect_uris
from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.deliveries import store as deliveries
from authserver.oauth.parameters import Parameters, from_form, from_query
from authserver.protocol import paths
from authserver.sessions.current import Current, CurrentSessions
from authserver.sessions.sign_out import SignOut
from authserver.tokens.hints import IdTokenHints
from authserver.web.address import address
from authserver.web.answers import Answers
from authserver.web.body import read_fields
from authserver.web.cookies import Cookies
from authserver.web.csrf import Csrf, form_token
from authserver.web.policy_source import source_of
from authserver.web.runner import Runner
from authserver.web.signed_out import Onward, frame_urls, signed_out

CONFIRM: Final = paths.END_SESSION + "/confirm"
LONGEST_STATE: Final = 2_000
KEPT: Final = ("client_id", "post_logout_redirect_uri", "state")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, as far as it can be believed.

    `back` is where the person is sent afterwards. `session_id` is of a hint that is good, so that nobody is asked.
    """

    client: Client | None = None
    back: str | None = None
    session_id: str | None = None
    hinted: bool = False


@dataclass(frozen=True, slots=True)
class Parting:
    """A session has ended, or there was none (`frames` is empty then, and `ended` False)."""

    wish: Wish
    ended: bool = False
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Its person has to say so first."""

    wish: Wish
    current: Current


class EndSession:
    """The logout endpoint."""

    def __init__(
        self,
        *,
        runner: Runner,
        current: CurrentSessions,
        cookies: Cookies,
        csrf: Csrf,
        answers: Answers,
        sign_out: SignOut,
        hints: IdTokenHints,
        issuer: str,
    ) -> None:
        self._runner = runner
        self._current = current
        self._cookies = cookies
        self._csrf = csrf
        self._answers = answers
        self._sign_out = sign_out
        self._hints = hints
        self._issuer = issuer
        self.router = APIRouter(tags=["oauth2"])
        self.router.add_api_route(paths.END_SESSION, self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route(paths.END_SESSION, self.submit, methods=["POST"], response_class=Response)
        self.router.add_api_route(
            CONFIRM, self.confirm, methods=["POST"], response_class=Response, include_in_schema=False
        )

    async def show(self, request: Request) -> Response:
        """Sign out for an app: answers with a redirect to it, or with a page."""
        return await self._answered(request, from_query(request))

    async def submit(self, request: Request) -> Response:
        """Do the same for a form; one of another site comes back by a GET."""
        parameters = await from_form(request)
        if self._cookies.session(request) is None:
            return RedirectResponse(f"{paths.END_SESSION}?{urlencode(parameters.values)}", 303)
        return await self._answered(request, parameters)

    async def confirm(self, request: Request) -> Response:
        """Sign out after all: its person has clicked."""
        fields, secret = await read_fields(request), self._cookies.session(request)
        self._csrf.check(request, fields, secret)
        asked, where = _kept(fields), address(request)
        return self._leave(
            request, await self._runner.write(lambda db: self._confirmed(db, asked, secret, where))
        )

    async def _answered(self, request: Request, parameters: Parameters) -> Response:
        secret, where = self._cookies.session(request), address(request)
        outcome = await self._runner.write(lambda db: self._step(db, parameters, secret, where))
        if isinstance(outcome, Question) and secret is not None:
            return self._ask(request, parameters, outcome, secret)
        return self._leave(request, outcome if isinstance(outcome, Parting) else Parting(outcome.wish))

    def _step(
        self, db: Connection, parameters: Parameters, secret: str | None, where: str
    ) -> Parting | Question:
        wish = self._wish(db, parameters)
        current = self._current.find(db, secret) if secret else None
        if current is None:
            return Parting(wish)
        if wish.session_id != current.session.id:
            return Question(wish, current)
        return self._end(db, wish, current, where)

    def _confirmed(self, db: Connection, asked: Parameters, secret: str | None, where: str) -> Parting:
        wish = self._wish(db, asked)
        current = self._current.find(db, secret) if secret else None
        return Parting(wish) if current is None else self._end(db, wish, current, where)

    def _end(self, db: Connection, wish: Wish, current: Current, where: str) -> Parting:
        session_id = current.session.id
        frames = frame_urls(deliveries.frames(db, session_id), self._issuer, session_id)
        self._sign_out.here(
            db, [session_id], now=current.at, why="session.signed_out", by="account", address=where
        )
        return Parting(wish, ended=True, frames=tuple(frames))

    def _wish(self, db: Connection, parameters: Parameters) -> Wish:
        """Believe what can be believed. A hint that is not good spoils the whole request."""
        said, client_id = parameters.get("id_token_hint"), parameters.get("client_id")
        hint = self._hints.read(said) if said else None
        if said and (hint is None or client_id not in {None, hint.client_id}):
            return Wish()
        registered = clients.by_id(db, hint.client_id if hint else client_id or "")
        client = registered.client if registered else None
        if client is None or client.disabled_at is not None:
            return Wish()
        asked = parameters.get("post_logout_redirect_uri")
        back = _back(client, asked, parameters.get("state")) if asked else None
        if asked and back is None:
            return Wish()
        return Wish(client, back, hint.sid if hint else None, hinted=hint is not None)

    def _ask(self, request: Request, parameters: Parameters, question: Question, secret: str) -> Response:
        wish = question.wish
        fields = {name: text for name in KEPT if (text := parameters.get(name))} if wish.back else {}
        if wish.client is not None and wish.back is not None:
            fields["client_id"] = wish.client.client_id
            request.state.form_action = source_of(wish.back)
        return self._answers.page(
            request,
            "end_session.html",
            action=_in_the_same_language(parameters.get("ui_locales")),
            form_token=form_token(secret),
            fields=fields,
            name=question.current.account.display_name,
            app_name=wish.client.client_name if wish.client and wish.back else None,
        )

    def _leave(self, request: Request, parting: Parting) -> Response:
        wish = parting.wish
        at_once = wish.back is not None and (wish.hinted or parting.ended)
        if wish.back is not None and at_once and not parting.frames:
            answer: Response = RedirectResponse(wish.back, 303)
        else:
            onward = (
                Onward(wish.client.client_name, wish.back, at_once) if wish.client and wish.back else None
            )
            answer = signed_out(self._answers, request, frames=parting.frames, onward=onward)
        if parting.ended:
            self._cookies.clear(answer)
            answer.headers["clear-site-data"] = '"storage"'
        return answer


def _back(client: Client, asked: str, state: str | None) -> str | None:
    """Answer where to go, with `state` as it came; None: nowhere that this client may send anybody."""
    if not redirect_uris.matches(client.post_logout_redirect_uris, asked):
        return None
    if state is None:
        return asked
    if len(state.encode()) > LONGEST_STATE or any(ord(char) < ord(" ") for char in state):
        return None
    return f"{asked}{'&' if '?' in asked else '?'}{urlencode({'state': state})}"


def _in_the_same_language(ui_locales: str | None) -> str:
    return f"{CONFIRM}?{urlencode({'ui_locales': ui_locales})}" if ui_locales else CONFIRM


def _kept(fields: Mapping[str, Any]) -> Parameters:
    """Read what the page carried; what a hint said has been said by its person now."""
    return Parameters({name: text for name in KEPT if isinstance(text := fields.get(name), str)})
