"""GET and POST /login: the sign-in page, and the same for programs in JSON (PRODUCT §3).

The order of POST, and what each step stops:

1. the body: bounded and strict (parser differences, memory)
2. the origin and the form token (a stranger signing a person in to the stranger's account)
3. the signing key: asked for first, so that nobody is half signed in when none may sign
4. the attempt is counted (guessing), then the password hashed in its own threads, the account known or not
5. session and cookies; the answer to an unknown name and to a wrong password is the same
"""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from authserver.accounts.throttling import Wait
from authserver.logs import get_logger
from authserver.pages import waiting_app
from authserver.pages.desk import Desk
from authserver.pages.planted_cookies import take_back
from authserver.pages.round_trips import RoundTrips, Trouble
from authserver.pages.waiting_app import WaitingApp
from authserver.pages.way_back import WayBack
from authserver.sessions.sign_in import Browser, Failed, SignedIn, SignIn
from authserver.tokens.access import AccessToken
from authserver.web.address import browser
from authserver.web.answers import for_program
from authserver.web.body import optional_text, read_fields, text

WRONG = "The user name or password is wrong."
THROTTLED = "Too many attempts. Try again in %(seconds)s seconds."
OPENAPI = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {
                "schema": {
                    "type": "object",
                    "required": ["username", "password"],
                    "properties": {
                        "username": {"type": "string"},
                        "password": {"type": "string", "format": "password"},
                    },
                }
            }
            for kind in ("application/json", "application/x-www-form-urlencoded")
        },
    },
    "responses": {
        "200": {"description": "Signed in: the session cookie and the token cookie are set (JSON)"},
        "303": {"description": "Signed in (form)"},
        "401": {"description": "Unknown account or wrong password, not said which"},
        "403": {"description": "The request was not made by a page of this server or of an allowed origin"},
        "429": {"description": "Too many attempts; Retry-After says when"},
        "503": {"description": "Busy or without database; Retry-After says when"},
    },
}

LONGEST_HINT = 255

log = get_logger("authserver.sign_in")


class LoginPage:
    """The sign-in page."""

    def __init__(self, desk: Desk, sign_in: SignIn, allowed_origins: frozenset[str]) -> None:
        self._desk = desk
        self._sign_in = sign_in
        self._way_back = WayBack(allowed_origins)
        self._round_trips = RoundTrips(desk.cookies)
        self.router = APIRouter(tags=["sign-in"])
        self.router.add_api_route("/login", self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route(
            "/login", self.submit, methods=["POST"], response_class=Response, openapi_extra=OPENAPI
        )

    async def show(
        self,
        request: Request,
        return_to: Annotated[str | None, Query()] = None,
        *,
        twice: Annotated[bool, Query()] = False,
        again: Annotated[bool, Query()] = False,
        login_hint: Annotated[str, Query()] = "",
    ) -> Response:
        """The sign-in page; whoever is signed in already is sent on, unless that would lead straight back here.

        `again`: an app wants to know that it is still the same person (`prompt=login`, OIDC Core §3.1.2.1).
        """
        if away := self._desk.elsewhere(request):
            return away
        target = self._way_back.to(return_to)
        lost = bool(return_to) and target is None
        answer = None if again else await self._sent_on(request, target or "/account", twice=twice)
        username = login_hint[:LONGEST_HINT] if login_hint.isprintable() else ""
        answer = answer or await self._page(request, target, username=username, lost=lost)
        if twice and target:
            take_back(answer, self._desk.cookies, self._desk.issuer, target)
        return answer

    async def submit(self, request: Request) -> Response:
        """Sign in with a form or with JSON."""
        desk = self._desk
        fields = await read_fields(request)
        desk.csrf.check(request, fields, desk.cookies.form(request))
        username, password = text(fields, "username"), text(fields, "password")
        target = self._way_back.to(optional_text(fields, "return_to"))
        signer = desk.tokens.signer()
        found = await self._try(username, password, browser(request, desk.cookies))
        if isinstance(found, Wait):
            return await self._throttled(request, target, username, found)
        if isinstance(found, Failed):
            return await self._failed(request, target, username)
        token = desk.tokens.mint(signer, found.session, found.account, found.at)
        return desk.signed_in(self._welcome(request, target, found, token), found, token)

    async def _sent_on(self, request: Request, target: str, *, twice: bool) -> Response | None:
        """Whoever has a session goes on with a new token: an app sent them here because theirs has expired."""
        desk = self._desk
        secret = desk.cookies.session(request)
        if secret is None or not _is_page(request):
            return None
        signer = desk.tokens.signer()
        found = await desk.when_allowed(
            lambda: desk.runner.write(lambda db: desk.current.refresh(db, secret))
        )
        if found is None:
            return None
        token = desk.tokens.mint(signer, found.session, found.account, found.at)
        own = target.startswith("/")  # our own pages ask for the session and never send anybody round
        answer = desk.answers.redirect(target) if own else self._to_app(request, target, token, twice=twice)
        desk.cookies.set_token(answer, token)
        return answer

    def _to_app(self, request: Request, app: str, token: AccessToken, *, twice: bool) -> Response:
        trouble = self._round_trips.trouble(request, app, token, twice=twice)
        answer = self._stopped(request, app, trouble) if trouble else self._desk.answers.redirect(app)
        self._round_trips.count(request, answer, app)
        return answer

    def _stopped(self, request: Request, app: str, trouble: Trouble) -> Response:
        desk, place = self._desk, urlsplit(app)
        if trouble is not Trouble.FROM_ELSEWHERE:
            origin = f"{place.scheme}://{place.netloc}"
            log.warning("a sign-in does not reach an app", trouble=trouble.value, app=origin)
        site = desk.cookies.token_domain or urlsplit(desk.issuer).hostname
        return desk.answers.page(
            request, "stopped.html", trouble=trouble.value, target=app, app=place.netloc, site=site
        )

    async def _try(self, username: str, password: str, who: Browser) -> SignedIn | Failed | Wait:
        run, sign_in = self._desk.runner, self._sign_in
        run.require_room_to_hash()
        candidate = await run.write(lambda db: sign_in.begin(db, username, password, who))
        if isinstance(candidate, Wait):
            return candidate
        checked = await run.hash(lambda: sign_in.check(candidate))
        return await self._desk.when_allowed(lambda: run.write(lambda db: sign_in.complete(db, checked)))

    def _welcome(self, request: Request, target: str | None, found: SignedIn, token: AccessToken) -> Response:
        if not for_program(request):
            return self._desk.answers.redirect(target or "/account")
        return self._desk.answers.json(
            request,
            "Signed in",
            facts={
                "sub": found.account.id,
                "username": found.account.display_name,
                "expires_in": int(token.lifetime.total_seconds()),
            },
        )

    async def _failed(self, request: Request, target: str | None, username: str) -> Response:
        if for_program(request):
            return self._desk.answers.json(
                request, "Sign-in failed", status=401, facts={"error": "invalid_credentials"}
            )
        return await self._page(request, target, 401, username, self._desk.answers.say(request, WRONG))

    async def _throttled(self, request: Request, target: str | None, username: str, wait: Wait) -> Response:
        values = {"seconds": wait.seconds}
        if for_program(request):
            answer = self._desk.answers.json(
                request, THROTTLED, status=429, values=values, facts={"error": "too_many_attempts"}
            )
        else:
            error = self._desk.answers.say(request, THROTTLED, **values)
            answer = await self._page(request, target, 429, username, error)
        answer.headers["retry-after"] = str(wait.seconds)
        return answer

    async def _page(
        self,
        request: Request,
        target: str | None,
        status: int = 200,
        username: str = "",
        error: str | None = None,
        *,
        lost: bool = False,
    ) -> Response:
        app = await self._app(target)
        if app is not None:
            request.state.form_action = app.origin

        def show(token: str) -> Response:
            return self._desk.answers.page(
                request,
                "login.html",
                status,
                app_name=app.client.client_name if app else None,
                form_token=token,
                return_to=target,
                lost=lost,
                username=username,
                error=error,
            )

        return self._desk.with_form(request, show)

    async def _app(self, target: str | None) -> WaitingApp | None:
        """Find the app whose authorization request waits for this sign-in, if one does."""
        named, now = waiting_app.behind(target), self._desk.clock.now()
        return (
            await self._desk.runner.read(lambda db: waiting_app.find(db, *named, now=now)) if named else None
        )


def _is_page(request: Request) -> bool:
    """Something that a person waits for. An `<img src="…/login">` on a sibling's page comes with the session too."""
    return request.headers.get("sec-fetch-dest", "document") == "document"
