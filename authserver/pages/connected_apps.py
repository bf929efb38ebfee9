"""The apps that a person has allowed something, on the account page; POST /account/apps/{client_id}/disconnect.

Disconnecting takes the consent back and ends what it led to, in one transaction: refresh tokens at once, access tokens
by the revocation list (ASVS 10.7.3).
"""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from authserver.authorizations.grants import Grants
from authserver.clients import store as clients
from authserver.consents import store as consents
from authserver.pages.desk import Desk
from authserver.sessions.current import Current
from authserver.web.answers import for_program
from authserver.web.body import media_type, read_fields

DISCONNECTED = "The app was disconnected."


@dataclass(frozen=True, slots=True)
class ConnectedApp:
    """An app and since when it may do what."""

    client_id: str
    name: str
    scopes: tuple[str, ...]
    given_at: datetime


def of_account(db: Connection, account_id: str) -> list[ConnectedApp]:
    """Answer the apps that an account has allowed something, the latest first."""
    given = consents.of_account(db, account_id)
    names = clients.names(db, [each.client_id for each in given])
    return [
        ConnectedApp(each.client_id, names[each.client_id], tuple(sorted(each.scopes)), each.given_at)
        for each in given
        if each.client_id in names
    ]


class ConnectedApps:
    """Taking back what an app was allowed."""

    def __init__(self, desk: Desk, grants: Grants) -> None:
        self._desk = desk
        self._grants = grants
        self.router = APIRouter(tags=["account"])
        self.router.add_api_route(
            "/account/apps/{client_id}/disconnect", self.disconnect, methods=["POST"], response_class=Response
        )

    async def disconnect(self, request: Request, client_id: str) -> Response:
        """Disconnect an app from my account; one that never was connected is no error."""
        desk = self._desk
        fields = await read_fields(request) if media_type(request) else {}
        desk.csrf.check(request, fields, desk.cookies.session(request))
        current = await desk.who(request)
        if current is None:
            return desk.must_sign_in(request)
        await desk.runner.write(lambda db: self._disconnect(db, current, client_id))
        if for_program(request):
            return desk.answers.json(request, DISCONNECTED)
        return desk.answers.redirect("/account?done=app")

    def _disconnect(self, db: Connection, current: Current, unverified_client_id: str) -> None:
        registered = clients.by_id(db, unverified_client_id)
        if registered is None:
            return
        client_id, account_id = registered.client.client_id, current.account.id
        consents.take_back(db, account_id, client_id)
        self._grants.end_of_client(db, account_id, client_id, now=current.at, why="consent.taken_back")
