"""POST /logout, here or everywhere, for pages and for programs; GET /signed-out, what a person sees afterwards.

The session's end and its entry on the revocation list are one transaction, committed before the cookies are cleared.
A browser whose session cookie is gone but whose token still lives signs out by the token: its `sid` says which
session that is. Signing out twice is no error.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from authserver.deliveries import store as deliveries
from authserver.pages.desk import Desk
from authserver.sessions.current import Current
from authserver.sessions.sign_out import SignOut
from authserver.tokens.own import OwnTokens
from authserver.web.address import address
from authserver.web.answers import for_program
from authserver.web.body import flag, media_type, read_fields
from authserver.web.signed_out import frame_urls, signed_out

OPENAPI = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"everywhere": {"type": "boolean", "default": False}},
                }
            }
        }
    }
}


class LogoutPage:
    """Sign-out."""

    def __init__(self, desk: Desk, sign_out: SignOut, own_tokens: OwnTokens) -> None:
        self._desk = desk
        self._sign_out = sign_out
        self._own_tokens = own_tokens
        self.router = APIRouter(tags=["sign-in"])
        self.router.add_api_route(
            "/logout", self.submit, methods=["POST"], response_class=Response, openapi_extra=OPENAPI
        )
        self.router.add_api_route(
            "/signed-out", self.show, methods=["GET"], response_class=Response, include_in_schema=False
        )

    async def submit(self, request: Request) -> Response:
        """Sign out of this session, or of every session of the account."""
        desk = self._desk
        fields = await read_fields(request) if media_type(request) else {}
        secret = desk.cookies.session(request)
        desk.csrf.check(request, fields, secret or desk.cookies.form(request))
        everywhere, token, where = flag(fields, "everywhere"), desk.cookies.token(request), address(request)
        session_id = await desk.runner.write(
            lambda db: self._end(db, secret, token, everywhere=everywhere, where=where)
        )
        frames = await self._frames(session_id) if session_id and not for_program(request) else []
        return self._signed_out(request, frames, everywhere=everywhere)

    async def show(self, request: Request, *, everywhere: Annotated[bool, Query()] = False) -> Response:
        return signed_out(self._desk.answers, request, everywhere=everywhere)

    def _end(
        self, db: Connection, secret: str | None, token: str | None, *, everywhere: bool, where: str
    ) -> str | None:
        """End it, and answer which session of this browser that was."""
        found = self._whose(db, secret, token)
        if found is None:
            return None
        now, session_id = found.at, found.session.id
        if everywhere:
            self._sign_out.everywhere(
                db,
                found.account.id,
                now=now,
                why="session.signed_out_everywhere",
                by="account",
                address=where,
            )
        else:
            self._sign_out.here(
                db, [session_id], now=now, why="session.signed_out", by="account", address=where
            )
        return session_id

    async def _frames(self, session_id: str) -> list[str]:
        """Answer what the page has to load so that the apps of this browser hear of it here."""
        found = await self._desk.runner.read(lambda db: deliveries.frames(db, session_id))
        return frame_urls(found, self._desk.issuer, session_id)

    def _whose(self, db: Connection, secret: str | None, token: str | None) -> Current | None:
        """Find the session by its cookie, or else by a token of ours that is good and whose session still lives."""
        found = self._desk.current.find(db, secret) if secret else None
        if found is not None:
            return found
        principal = self._own_tokens.read(token) if token else None
        return self._desk.current.find_by_id(db, principal.sid) if principal and principal.sid else None

    def _signed_out(self, request: Request, frames: list[str], *, everywhere: bool) -> Response:
        message = "Signed out everywhere" if everywhere else "Signed out"
        if for_program(request):
            answer = self._desk.answers.json(request, message)
        elif frames:
            answer = signed_out(self._desk.answers, request, everywhere=everywhere, frames=frames)
        else:
            answer = self._desk.answers.redirect(
                "/signed-out?everywhere=true" if everywhere else "/signed-out"
            )
        self._desk.cookies.clear(answer)
        answer.headers["clear-site-data"] = (
            '"storage"'  # not "cookies": sibling apps on the domain have theirs
        )
        return answer
