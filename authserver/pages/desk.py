"""What every page needs, built once: answers, cookies, the CSRF check, the runner, and who is signed in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from typing import Final, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import Response

from authserver.clock import Clock
from authserver.opaque import new_secret
from authserver.sessions.current import Current, CurrentSessions
from authserver.sessions.sign_in import SignedIn
from authserver.sessions.sign_out import NotYet
from authserver.tokens.access import AccessToken, AccessTokens
from authserver.web.answers import Answers, for_program
from authserver.web.cookies import Cookies
from authserver.web.csrf import Csrf, form_token
from authserver.web.errors import Row, render
from authserver.web.runner import Overloaded, Runner

T = TypeVar("T")

LONGEST_WAIT: Final = 5.0
NOT_SIGNED_IN = Row(401, "not_signed_in", "You are not signed in.")


@dataclass(frozen=True, slots=True)
class Desk:
    """The tools that lie on every page's desk."""

    answers: Answers
    cookies: Cookies
    csrf: Csrf
    runner: Runner
    clock: Clock
    current: CurrentSessions
    tokens: AccessTokens
    issuer: str
    product_name: str

    async def who(self, request: Request) -> Current | None:
        """Answer who is signed in, and note the use now and then."""
        secret = self.cookies.session(request)
        if secret is None:
            return None
        found = await self.runner.read(lambda db: self.current.find(db, secret))
        if found and self.current.lifetime.worth_noting(found.session.last_seen_at, found.at):
            await self.runner.write(lambda db: self.current.note_use(db, found))
        return found

    async def when_allowed(self, attempt: Callable[[], Awaitable[T | NotYet]]) -> T:
        """Run a step that may answer "not yet": wait for that moment, a second away at most, and run it again.

        :raises Overloaded: it is further away, so a clock was set back: nobody is kept waiting for that.
        """
        while isinstance(answer := await attempt(), NotYet):
            distance = (answer.until - self.clock.now()).total_seconds()
            if distance > LONGEST_WAIT:
                raise Overloaded(retry_after=min(ceil(distance), 60))
            await self.clock.reach(answer.until)
        return answer

    def signed_in(self, response: Response, found: SignedIn, token: AccessToken) -> Response:
        """Set every cookie of a new session."""
        self.cookies.set_session(response, found.secret)
        self.cookies.set_token(response, token)
        if found.device_secret is not None:
            self.cookies.set_device(response, found.device_secret)
        return response

    def with_form(self, request: Request, show: Callable[[str], Response]) -> Response:
        """Show a page whose forms are tied to this browser, before anyone is signed in."""
        secret = self.cookies.form(request)
        if secret is not None:
            return show(form_token(secret))
        made = new_secret()
        response = show(form_token(made))
        self.cookies.set_form(response, made)
        return response

    def elsewhere(self, request: Request) -> Response | None:
        """Send a browser that came by another host name to the issuer's: cookies and `Origin` belong to that one."""
        here = f"{request.url.scheme}://{request.headers.get('host', '')}"
        if request.headers.get("host") is None or here.partition("://")[2] == self.issuer.partition("://")[2]:
            return None
        return self.answers.redirect(
            self.issuer + str(URL(request.url.path).replace(query=request.url.query))
        )

    def must_sign_in(self, request: Request) -> Response:
        """401 for a program; the sign-in page, and back here, for a person."""
        if for_program(request):
            return render(self.answers, request, NOT_SIGNED_IN)
        back = request.url.path if request.method == "GET" else "/account"
        return self.answers.redirect(f"/login?{urlencode({'return_to': back})}")
