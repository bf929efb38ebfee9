"""GET and POST /account/password: change my password.

1. the body, the origin, the form token; a session
2. the current password, counted and hashed like a sign-in (a stolen session must not be able to guess it)
3. the rules for the new one (NIST 800-63B-4), then its hash
4. one transaction: the new hash, the end of every session and token of the account, every device forgotten
5. a new session, with a new id, for whoever did this
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from authserver.accounts import store as accounts
from authserver.accounts.hashing import PasswordHasher
from authserver.accounts.passwords import Password, PasswordRules, UnacceptablePassword, Weakness, prepare
from authserver.accounts.throttling import Wait
from authserver.pages.desk import Desk
from authserver.sessions.consequences import Consequences
from authserver.sessions.current import Current
from authserver.sessions.sign_in import Browser, Candidate, Failed, SignedIn, SignIn
from authserver.web.address import browser
from authserver.web.answers import for_program
from authserver.web.body import read_fields, text
from authserver.web.csrf import form_token

WRONG: Final = "The current password is wrong."
SAME: Final = "The new password must differ from the current one."
THROTTLED: Final = "Too many attempts. Try again in %(seconds)s seconds."
UNTYPABLE: Final = "The password contains characters that cannot be typed again reliably."
WEAK: Final = {
    Weakness.TOO_SHORT: "The password needs at least %(minimum)s characters.",
    Weakness.TOO_LONG: "The password may have at most %(maximum)s characters.",
    Weakness.TOO_COMMON: "This password is too easy to guess: it is on lists that attackers try first.",
    Weakness.CONTAINS_NAME: "The password must not contain your user name or the name of this service.",
    Weakness.CONTAINS_SERVICE: "The password must not contain your user name or the name of this service.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Which field is wrong, and what to say about it."""

    where: str
    message: str
    status: int = 422
    values: Mapping[str, int] = field(default_factory=dict)


class PasswordPage:
    """Change of password."""

    def __init__(
        self,
        desk: Desk,
        sign_in: SignIn,
        consequences: Consequences,
        hasher: PasswordHasher,
        rules: PasswordRules,
    ) -> None:
        self._desk = desk
        self._sign_in = sign_in
        self._consequences = consequences
        self._hasher = hasher
        self._rules = rules
        self.router = APIRouter(tags=["account"])
        self.router.add_api_route(
            "/account/password", self.show, methods=["GET"], include_in_schema=False, response_class=Response
        )
        self.router.add_api_route("/account/password", self.submit, methods=["POST"], response_class=Response)

    async def show(self, request: Request) -> Response:
        current = await self._desk.who(request)
        return self._page(request, current) if current else self._desk.must_sign_in(request)

    async def submit(self, request: Request) -> Response:
        """Change my password; every other session of mine ends."""
        desk = self._desk
        fields = await read_fields(request)
        desk.csrf.check(request, fields, desk.cookies.session(request))
        current = await desk.who(request)
        if current is None:
            return desk.must_sign_in(request)
        old, new = text(fields, "current_password"), text(fields, "new_password")
        signer, who = desk.tokens.signer(), browser(request, desk.cookies)
        changed = await self._change(current, old, new, who)
        if isinstance(changed, Refused):
            return self._refuse(request, current, changed)
        found = await self._resume(current, changed, who)
        if isinstance(found, Failed):
            return desk.must_sign_in(request)
        token = desk.tokens.mint(signer, found.session, found.account, found.at)
        return desk.signed_in(self._changed(request), found, token)

    async def _resume(self, current: Current, password_hash: str, who: Browser) -> SignedIn | Failed:
        run, account_id = self._desk.runner, current.account.id
        return await self._desk.when_allowed(
            lambda: run.write(lambda db: self._sign_in.resume(db, account_id, password_hash, who))
        )

    async def _change(self, current: Current, old: str, new: str, who: Browser) -> str | Refused:
        """Answer the new password's hash when it is set, or what is wrong."""
        run, account = self._desk.runner, current.account
        run.require_room_to_hash()
        candidate = await run.write(lambda db: self._sign_in.begin(db, account.username, old, who))
        if isinstance(candidate, Wait):
            return Refused("current_password", THROTTLED, 429, {"seconds": candidate.seconds})
        outcome = await run.hash(lambda: self._checked(candidate, old, new))
        if isinstance(outcome, Refused):
            if outcome.message == WRONG:
                await run.write(lambda db: self._sign_in.note_failure(db, candidate))
            return outcome
        changed = await run.write(lambda db: self._save(db, candidate, outcome))
        return outcome if changed else Refused("current_password", WRONG)

    def _checked(self, candidate: Candidate, old: str, new: str) -> str | Refused:
        """Answer the new password's hash, or what is wrong. Slow on purpose: runs where hashing is bounded."""
        if not self._sign_in.check(candidate).match:
            return Refused("current_password", WRONG)
        try:
            password = prepare(new)
        except UnacceptablePassword:
            return Refused("new_password", UNTYPABLE)
        return self._weakness(candidate, password, old) or self._hasher.hash(password)

    def _weakness(self, candidate: Candidate, password: Password, old: str) -> Refused | None:
        if password == prepare(old):
            return Refused("new_password", SAME)
        words = [self._desk.product_name]
        weakness = self._rules.refuse(password, username=candidate.username, context_words=words)
        if weakness is None:
            return None
        limits = {"minimum": self._rules.minimum_length, "maximum": self._rules.maximum_length}
        return Refused("new_password", WEAK[weakness], values=limits)

    def _save(self, db: Connection, candidate: Candidate, password_hash: str) -> bool:
        """Change it, unless it was changed meanwhile."""
        seen = candidate.account
        account = accounts.locked(db, seen.id) if seen else None
        if (
            seen is None
            or account is None
            or account.disabled_at
            or account.password_hash != seen.password_hash
        ):
            return False
        self._consequences.change_password(db, account, password_hash, self._desk.clock.now(), "account")
        return True

    def _changed(self, request: Request) -> Response:
        if for_program(request):
            return self._desk.answers.json(
                request, "The password was changed. Other devices were signed out."
            )
        return self._desk.answers.redirect("/account?done=password")

    def _refuse(self, request: Request, current: Current, refused: Refused) -> Response:
        answer = self._refusal(request, current, refused)
        if "seconds" in refused.values:
            answer.headers["retry-after"] = str(refused.values["seconds"])
        return answer

    def _refusal(self, request: Request, current: Current, refused: Refused) -> Response:
        if for_program(request):
            return self._desk.answers.json(
                request,
                refused.message,
                status=refused.status,
                values=refused.values,
                facts={"error": "invalid_password", "field": refused.where},
            )
        return self._page(request, current, refused)

    def _page(self, request: Request, current: Current, refused: Refused | None = None) -> Response:
        message = self._desk.answers.say(request, refused.message, **refused.values) if refused else ""
        return self._desk.answers.page(
            request,
            "password.html",
            refused.status if refused else 200,
            username=current.account.display_name,
            form_token=form_token(self._desk.cookies.session(request) or ""),
            errors={refused.where: message} if refused else {},
            minimum_length=self._rules.minimum_length,
        )
