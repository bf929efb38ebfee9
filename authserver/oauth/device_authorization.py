"""POST /oauth2/device_authorization: a device asks for its codes (RFC 8628 §3.1, RFC 10027).

1. the form; which client, proven as at the token endpoint; registered for this grant
2. what it asks for: scopes that are registered for it, resources that are
3. where it asks from, counted, and kept for the person who decides: a device in another country is not theirs
4. a secret for the device, a short code for the person, both for ten minutes
"""

from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from authserver.accounts.throttling import Wait
from authserver.clients.registration import DEVICE_CODE
from authserver.clients.store import Client
from authserver.clock import Clock
from authserver.devices import asking, user_codes
from authserver.devices.asking import GOOD_FOR, INTERVAL, Codes, Wanted
from authserver.oauth.authorization_request import registered_scope, unregistered_target
from authserver.oauth.client_auth import Unproven, authenticate, presented
from authserver.oauth.errors import NO_STORE, Problem, as_json
from authserver.oauth.parameters import Parameters, from_form
from authserver.oauth.programs import ForPrograms
from authserver.protocol import oauth as words
from authserver.protocol import paths
from authserver.sessions.sign_in import Browser
from authserver.web.address import browser
from authserver.web.cookies import Cookies
from authserver.web.runner import Runner

NOT_FOR_DEVICES: Final = Problem(
    words.UNAUTHORIZED_CLIENT, "This client is not registered for the device authorization grant."
)


class DeviceAuthorization:
    """The device authorization endpoint."""

    def __init__(self, runner: Runner, clock: Clock, cookies: Cookies, issuer: str) -> None:
        self._runner = runner
        self._clock = clock
        self._cookies = cookies
        self._issuer = issuer
        self._page = issuer + paths.DEVICE
        self.router = APIRouter(tags=["oauth2"], route_class=ForPrograms)
        self.router.add_api_route(
            paths.DEVICE_AUTHORIZATION, self.submit, methods=["POST"], response_class=Response
        )

    async def submit(self, request: Request) -> Response:
        """Ask for a device code."""
        parameters = await from_form(request)
        unproven = presented(request.headers.getlist("authorization"), parameters)
        if isinstance(unproven, Problem):
            return as_json(unproven)
        device = browser(request, self._cookies)
        codes = await self._runner.write(lambda db: self._step(db, parameters, unproven, device))
        return (
            as_json(codes) if isinstance(codes, Problem) else JSONResponse(self._said(codes), 200, NO_STORE)
        )

    def _step(
        self, db: Connection, parameters: Parameters, unproven: Unproven, device: Browser
    ) -> Codes | Problem:
        now = self._clock.now()
        client = authenticate(db, unproven, now, self._issuer)
        if isinstance(client, Problem):
            return client
        wanted = self._wanted(parameters, client, device)
        if isinstance(wanted, Problem):
            return wanted
        codes = asking.start(db, wanted, now)
        return _too_many(codes) if isinstance(codes, Wait) else codes

    def _wanted(self, parameters: Parameters, client: Client, device: Browser) -> Wanted | Problem:
        if DEVICE_CODE not in client.grant_types:
            return NOT_FOR_DEVICES
        if (problem := unregistered_target(parameters, client)) is not None:
            return problem
        scope = registered_scope(parameters, client)
        if not scope:
            return Problem(words.INVALID_SCOPE, "None of these scopes is registered for this client.")
        audience = parameters.resources or client.audiences or (self._issuer,)
        return Wanted(client.client_id, " ".join(scope), audience, device.address, device.user_agent)

    def _said(self, codes: Codes) -> dict[str, Any]:
        """§3.2. What is typed is not in the complete address's path or fragment: a query survives every QR code."""
        code = user_codes.shown(codes.user_code)
        return {
            "device_code": codes.device_code,
            "user_code": code,
            "verification_uri": self._page,
            "verification_uri_complete": f"{self._page}?user_code={code}",
            "expires_in": int(GOOD_FOR.total_seconds()),
            "interval": INTERVAL,
        }


def _too_many(wait: Wait) -> Problem:
    description = "Too many devices have asked from this address: wait."
    return Problem(words.SLOW_DOWN, description, 429, retry_after=wait.seconds)
