"""GET and POST /consent: what an app wants, in words, and yes or no (OIDC Core §3.1.2.4, RFC 9700 §4.16).

1. a session; who has none is sent through the authorization endpoint, which knows what to do
2. the request that was set aside: its scopes are shown, and the same stored ones are allowed, so nothing can be added
   between the page and the click (SECURITY O32)
3. the form token of this session
4. the decision counts for this session and this request; a yes is remembered, a no is not

The authorization endpoint goes on from there, and looks at everything anew.
"""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from authserver.audit.store import Entry, record
from authserver.authorizations import requests
from authserver.consents import store as consents
from authserver.pages import waiting_app
from authserver.pages.desk import Desk
from authserver.pages.waiting_app import WaitingApp
from authserver.protocol import paths
from authserver.sessions.current import Current
from authserver.web.body import read_fields, text
from authserver.web.csrf import form_token
from authserver.web.errors import Row, render

TOO_LATE: Final = Row(
    400,
    "invalid_request",
    "This sign-in was open for too long, or was finished already. Start again in the app.",
)


class ConsentPage:
    """Consent to what an app asks for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.router = APIRouter(tags=["oauth2"], include_in_schema=False)
        self.router.add_api_route("/consent", self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route("/consent", self.submit, methods=["POST"], response_class=Response)

    async def show(
        self, request: Request, client_id: Annotated[str, Query()], request_uri: Annotated[str, Query()]
    ) -> Response:
        desk = self._desk
        current, secret = await desk.who(request), desk.cookies.session(request)
        if current is None or secret is None:
            return desk.answers.redirect(_on(client_id, request_uri))
        app = await desk.runner.read(
            lambda db: waiting_app.find(db, client_id, request_uri, now=desk.clock.now())
        )
        return self._page(request, app, current, secret) if app else render(desk.answers, request, TOO_LATE)

    async def submit(self, request: Request) -> Response:
        desk = self._desk
        fields = await read_fields(request)
        desk.csrf.check(request, fields, desk.cookies.session(request))
        client_id, request_uri = text(fields, "client_id"), text(fields, "request_uri")
        allowed = text(fields, "decision") == "allow"
        current = await desk.who(request)
        if current is None:
            return desk.answers.redirect(_on(client_id, request_uri))
        app = await desk.runner.write(
            lambda db: self._decide(db, client_id, request_uri, current, allowed=allowed)
        )
        if app is None:
            return render(desk.answers, request, TOO_LATE)
        return desk.answers.redirect(_on(client_id, request_uri))

    def _decide(
        self, db: Connection, client_id: str, request_uri: str, current: Current, *, allowed: bool
    ) -> WaitingApp | None:
        now = self._desk.clock.now()
        app = waiting_app.find(db, client_id, request_uri, now=now)
        if app is None:
            return None
        requests.decide(db, app.waiting, session_id=current.session.id, allowed=allowed)
        if allowed:
            consents.give(db, current.account.id, client_id, app.scopes, now=now)
        event = "consent.given" if allowed else "consent.refused"
        detail = {"client_id": client_id, "scopes": list(app.scopes)}
        record(db, Entry(event, now, "account", current.account.id, current.session.id, detail=detail))
        return app

    def _page(self, request: Request, app: WaitingApp, current: Current, secret: str) -> Response:
        request.state.form_action = app.origin
        return self._desk.answers.page(
            request,
            "consent.html",
            form_token=form_token(secret),
            client_id=app.client.client_id,
            request_uri=app.waiting.request_uri,
            app_name=app.client.client_name,
            app_host=app.host,
            policy_uri=app.client.policy_uri,
            tos_uri=app.client.tos_uri,
            scopes=app.scopes,
            name=current.account.display_name,
        )


def _on(client_id: str, request_uri: str) -> str:
    return f"{paths.AUTHORIZE}?{urlencode({'client_id': client_id, 'request_uri': request_uri})}"
