"""GET /account: who I am and where I am signed in; POST /account/sessions/{id}/end: end one of my sessions."""

import re
from typing import Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from authserver.pages import connected_apps
from authserver.pages.connected_apps import DISCONNECTED, ConnectedApp
from authserver.pages.desk import Desk
from authserver.pages.devices import describe
from authserver.sessions import store
from authserver.sessions.current import Current
from authserver.sessions.sign_out import SignOut
from authserver.sessions.store import Session
from authserver.web.address import address
from authserver.web.answers import for_program
from authserver.web.body import media_type, read_fields
from authserver.web.csrf import form_token

ID: Final = re.compile(r"[\w-]{22}", re.ASCII)
NOTICES: Final = {
    "password": "The password was changed. Other devices were signed out.",
    "session": "The session was ended.",
    "app": DISCONNECTED,
}


class AccountPage:
    """A person's own page."""

    def __init__(self, desk: Desk, sign_out: SignOut) -> None:
        self._desk = desk
        self._sign_out = sign_out
        self.router = APIRouter(tags=["account"])
        self.router.add_api_route(
            "/", self.home, methods=["GET"], include_in_schema=False, response_class=Response
        )
        self.router.add_api_route("/account", self.show, methods=["GET"], response_class=Response)
        self.router.add_api_route(
            "/account/sessions/{session_id}/end", self.end, methods=["POST"], response_class=Response
        )

    async def home(self, request: Request) -> Response:
        return self._desk.elsewhere(request) or self._desk.answers.redirect("/account")

    async def show(self, request: Request) -> Response:
        """My account and my sessions, as a page or as JSON."""
        if away := self._desk.elsewhere(request):
            return away
        current = await self._desk.who(request)
        if current is None:
            return self._desk.must_sign_in(request)
        sessions, apps = await self._desk.runner.read(
            lambda db: (self._sessions(db, current), connected_apps.of_account(db, current.account.id))
        )
        if for_program(request):
            return self._desk.answers.json(
                request,
                "Welcome, %(name)s",
                values={"name": current.account.display_name},
                facts=_facts(current, sessions, apps),
            )
        return self._page(request, current, sessions, apps)

    async def end(self, request: Request, session_id: str) -> Response:
        """End one of my own sessions; one that is not mine is as unknown as one that never was."""
        desk = self._desk
        fields = await read_fields(request) if media_type(request) else {}
        desk.csrf.check(request, fields, desk.cookies.session(request))
        current = await desk.who(request)
        if current is None:
            return desk.must_sign_in(request)
        where = address(request)
        await desk.runner.write(lambda db: self._end(db, current, session_id, where))
        if for_program(request):
            return desk.answers.json(request, NOTICES["session"])
        return desk.answers.redirect("/account?done=session")

    def _end(self, db: Connection, current: Current, session_id: str, where: str) -> None:
        if ID.fullmatch(session_id) and store.owner(db, session_id) == current.account.id:
            self._sign_out.here(
                db, [session_id], now=current.at, why="session.ended", by="account", address=where
            )

    def _sessions(self, db: Connection, current: Current) -> list[Session]:
        seen_after = self._desk.current.lifetime.seen_after(current.at)
        return store.of_account(db, current.account.id, now=current.at, seen_after=seen_after)

    def _page(
        self, request: Request, current: Current, sessions: list[Session], apps: list[ConnectedApp]
    ) -> Response:
        done = request.query_params.get("done", "")
        return self._desk.answers.page(
            request,
            "account.html",
            username=current.account.display_name,
            roles=list(current.account.roles),
            form_token=form_token(self._desk.cookies.session(request) or ""),
            notice=self._desk.answers.say(request, NOTICES[done]) if done in NOTICES else None,
            sessions=[_session(session, current) for session in sessions],
            apps=apps,
        )


def _session(session: Session, current: Current) -> dict[str, object]:
    device = describe(session.user_agent or "")
    return {
        "id": session.id,
        "current": session.id == current.session.id,
        "browser": device.browser,
        "system": device.system,
        "address": session.address,
        "started_at": session.started_at,
        "last_seen_at": session.last_seen_at,
    }


def _facts(current: Current, sessions: list[Session], apps: list[ConnectedApp]) -> dict[str, object]:
    shown = [_session(session, current) for session in sessions]
    moments = ("started_at", "last_seen_at")
    return {
        "sub": current.account.id,
        "username": current.account.display_name,
        "roles": list(current.account.roles),
        "sessions": [
            {key: value.isoformat() if key in moments else value for key, value in row.items()}  # type: ignore[attr-defined]
            for row in shown
        ],
        "apps": [{"client_id": app.client_id, "name": app.name, "scopes": list(app.scopes)} for app in apps],
    }
