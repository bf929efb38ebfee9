"""GET and POST /login: the sign-in page, and the same for programs in JSON (PRODUCT §3).

The order of POST, and what each step stops:

1. the body: bounded and strict (parser differences, memory)
2. the origin and the form token (a stranger signing a person in to the stranger's account)
3. the signing key: asked for first, so that nobody is half signed in when none may sign
4. the attempt is counted (guessing), then the password hashed in its own threads, the account known or not
5. session and cookies; the answer to an unknown name and to a wrong password is the same
"""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from authserver.accounts.throttling import Wait
from authserver.pages.desk import Desk
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


class LoginPage:
    """The sign-in page."""

    def __init__(self, desk: Desk, sign_in: SignIn, allowed_origins: frozenset[str]) -> None:
        self._desk = desk
        self._sign_in = sign_in
        self._way_back = WayBack(allowed_origins)
        self.router = APIRouter(tags=["sign-in"])
        self.router.add_api_route("/login", self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route(
            "/login", self.submit, methods=["POST"], response_class=Response, openapi_extra=OPENAPI
        )

    async def show(self, request: Request, return_to: Annotated[str | None, Query()] = None) -> Response:
        """The sign-in page; whoever is signed in already is sent on."""
        if away := self._desk.elsewhere(request):
            return away
        target = self._way_back.to(return_to)
        lost = bool(return_to) and target is None
        return await self._sent_on(request, target) or self._page(request, target, lost=lost)

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
            return self._throttled(request, target, username, found)
        if isinstance(found, Failed):
            return self._failed(request, target, username)
        token = desk.tokens.mint(signer, found.session, found.account, found.at)
        return desk.signed_in(self._welcome(request, target, found, token), found, token)

    async def _sent_on(self, request: Request, target: str | None) -> Response | None:
        """Whoever has a session goes on with a new token: an app sent them here because theirs has expired."""
        desk = self._desk
        secret = desk.cookies.session(request)
        if secret is None:
            return None
        signer = desk.tokens.signer()
        found = await desk.when_allowed(
            lambda: desk.runner.write(lambda db: desk.current.refresh(db, secret))
        )
        if found is None:
            return None
        answer = desk.answers.redirect(target or "/account")
        desk.cookies.set_token(answer, desk.tokens.mint(signer, found.session, found.account, found.at))
        return answer

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

    def _failed(self, request: Request, target: str | None, username: str) -> Response:
        if for_program(request):
            return self._desk.answers.json(
                request, "Sign-in failed", status=401, facts={"error": "invalid_credentials"}
            )
        return self._page(request, target, 401, username, self._desk.answers.say(request, WRONG))

    def _throttled(self, request: Request, target: str | None, username: str, wait: Wait) -> Response:
        values = {"seconds": wait.seconds}
        if for_program(request):
            answer = self._desk.answers.json(
                request, THROTTLED, status=429, values=values, facts={"error": "too_many_attempts"}
            )
        else:
            error = self._desk.answers.say(request, THROTTLED, **values)
            answer = self._page(request, target, 429, username, error)
        answer.headers["retry-after"] = str(wait.seconds)
        return answer

    def _page(
        self,
        request: Request,
        target: str | None,
        status: int = 200,
        username: str = "",
        error: str | None = None,
        *,
        lost: bool = False,
    ) -> Response:
        def show(token: str) -> Response:
            return self._desk.answers.page(
                request,
                "login.html",
                status,
                form_token=token,
                return_to=target,
                lost=lost,
                username=username,
                error=error,
            )

        return self._desk.with_form(request, show)
