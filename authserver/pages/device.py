"""GET and POST /device: a person connects a device with the code that it shows (RFC 8628 §3.3).

1. a session; who has none signs in and comes back
2. the code: typed, or filled in by the link of the device (§3.3.1). The link alone does nothing, for anybody can send one
3. what the device wants, which app it says it is, where and when it asked: whoever did not do that just now should notice
   (§5.4, RFC 10027 §6.1: a code that was sent by somebody else connects *their* device to this account)
4. yes or no, with the form token of this session. The first decision counts, whoever makes it

Looking a code up counts as a guess, each time (devices/deciding.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from authserver.accounts.throttling import Wait, network
from authserver.authorizations.grants import Allowed, Grants
from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.consents import store as consents
from authserver.devices import deciding, user_codes
from authserver.devices.deciding import Person
from authserver.devices.store import Asked
from authserver.opaque import SecretHash
from authserver.pages import devices
from authserver.pages.desk import Desk
from authserver.protocol import paths
from authserver.protocol.oauth import OFFLINE_ACCESS
from authserver.subjects.sectors import sector_of
from authserver.web.address import address
from authserver.web.body import optional_text, read_fields, text
from authserver.web.csrf import form_token

ALLOW: Final = "allow"
NOBODY_WAITS: Final = (
    "No device waits with this code. Look at it again: a code is good for ten minutes, and for one device."
)
THROTTLED: Final = "Too many attempts. Try again in %(seconds)s seconds."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits for this person, and the app that it says it is."""

    asked: Asked
    client: Client
    person: Person


Found = Waiting | Wait | None


class DevicePage:
    """Connecting a device."""

    def __init__(self, desk: Desk, grants: Grants) -> None:
        self._desk = desk
        self._grants = grants
        self.router = APIRouter(tags=["oauth2"], include_in_schema=False)
        self.router.add_api_route(paths.DEVICE, self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route(paths.DEVICE, self.submit, methods=["POST"], response_class=Response)

    async def show(self, request: Request, user_code: Annotated[str, Query()] = "") -> Response:
        """The code's field, filled in where the link brought a code."""
        if away := self._desk.elsewhere(request):
            return away
        code = user_codes.typed(user_code)
        filled_in = user_codes.shown(code) if code else ""
        if await self._desk.who(request) is None:
            return self._to_sign_in(filled_in)
        return self._form(request, filled_in)

    async def submit(self, request: Request) -> Response:
        """What the device with this code wants; or, with a decision: connect it, or do not."""
        fields, secret = await self._read(request)
        code, decision = text(fields, "user_code"), optional_text(fields, "decision")
        if await self._desk.who(request) is None:
            return self._to_sign_in("")
        found = await self._desk.runner.write(lambda db: self._step(db, code, decision, secret, request))
        if not isinstance(found, Waiting):
            return self._no(request, found)
        if decision is None:
            return self._confirm(request, code, found)
        return self._desk.answers.page(request, "device_done.html", allowed=decision == ALLOW)

    async def _read(self, request: Request) -> tuple[Mapping[str, Any], str]:
        """Answer what was sent by a form of ours, and the session's secret."""
        fields, secret = await read_fields(request), self._desk.cookies.session(request)
        self._desk.csrf.check(request, fields, secret)
        return fields, secret or ""

    def _find(self, db: Connection, code: str, secret: str, request: Request) -> Found:
        who = self._desk.current.find(db, secret)
        if who is None:
            return None
        person = Person(who, address(request))
        asked = deciding.look(db, code, person, who.at)
        if not isinstance(asked, Asked):
            return asked
        registered = clients.by_id(db, asked.client_id)
        if registered is None or registered.client.disabled_at is not None:
            return None
        return Waiting(asked, registered.client, person)

    def _step(self, db: Connection, code: str, decision: str | None, secret: str, request: Request) -> Found:
        found = self._find(db, code, secret, request)
        if decision is None or not isinstance(found, Waiting):
            return found
        return self._decide(db, found, allowed=decision == ALLOW)

    def _decide(self, db: Connection, found: Waiting, *, allowed: bool) -> Found:
        asked, person, now = found.asked, found.person, found.person.who.at
        if not allowed:
            return found if deciding.refuse(db, asked, person, now) else None
        if not deciding.allow(db, asked, person, lambda: self._issue(db, found), now):
            return None
        if not found.client.first_party:  # so that it can be taken back where all others can
            account_id = person.who.account.id
            consents.give(db, account_id, asked.client_id, asked.scope.split(), now=now)
        return found

    def _issue(self, db: Connection, found: Waiting) -> str:
        asked = found.asked
        allowed = Allowed(
            client_id=asked.client_id,
            scope=asked.scope,
            audience=asked.audience,
            redirect_uri=None,
            code_challenge=None,
            nonce=None,
            claims={},
            key_thumbprint=None,
            offline=OFFLINE_ACCESS in asked.scope.split(),
            sector=sector_of(found.client),
        )
        until, secret_hash = asked.expires_at, SecretHash(asked.device_code_hash)
        return self._grants.issue(db, allowed, found.person.who, secret_hash, until=until)

    def _form(self, request: Request, code: str, error: str | None = None, *, status: int = 200) -> Response:
        token = form_token(self._desk.cookies.session(request) or "")
        return self._desk.answers.page(
            request, "device.html", status, form_token=token, user_code=code, error=error
        )

    def _no(self, request: Request, why: Wait | None) -> Response:
        say = self._desk.answers.say
        if why is None:
            return self._form(request, "", say(request, NOBODY_WAITS), status=400)
        answer = self._form(request, "", say(request, THROTTLED, seconds=why.seconds), status=429)
        answer.headers["retry-after"] = str(why.seconds)
        return answer

    def _confirm(self, request: Request, code: str, found: Waiting) -> Response:
        asked, person = found.asked, found.person
        device = devices.describe(asked.user_agent or "")
        canonical = user_codes.typed(code)
        return self._desk.answers.page(
            request,
            "device_confirm.html",
            form_token=form_token(self._desk.cookies.session(request) or ""),
            user_code=user_codes.shown(canonical) if canonical else "",
            app_name=found.client.client_name,
            name=person.who.account.display_name,
            scopes=asked.scope.split(),
            browser=device.browser,
            system=device.system,
            address=asked.address,
            asked_at=asked.created_at,
            elsewhere=network(asked.address or "") != network(person.address),
            policy_uri=found.client.policy_uri,
            tos_uri=found.client.tos_uri,
        )

    def _to_sign_in(self, code: str) -> Response:
        back = f"{paths.DEVICE}?{urlencode({'user_code': code})}" if code else paths.DEVICE
        return self._desk.answers.redirect(f"/login?{urlencode({'return_to': back})}")
