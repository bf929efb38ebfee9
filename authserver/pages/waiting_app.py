"""Which app somebody is on the way to: the one whose authorization request is set aside under the name in the URL.

Said on the page, so that nobody signs in to an app that they do not know of; and named in `form-action`, because that
counts for the redirect which follows the form as well.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import Connection

from authserver.authorizations import claims_request, requests
from authserver.authorizations.requests import Waiting
from authserver.clients import redirect_uris
from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.protocol import paths
from authserver.web.policy_source import source_of


@dataclass(frozen=True, slots=True)
class WaitingApp:
    """An app, and the request of its that waits."""

    client: Client
    waiting: Waiting

    @property
    def scopes(self) -> tuple[str, ...]:
        """What it asks for, of what it may ask for."""
        parameters, registered = self.waiting.request.parameters, self.client.scopes
        scopes = requests.scopes(parameters.get("scope") or None, registered)
        return scopes + claims_request.scopes(parameters.get("claims"), scopes, registered)

    @property
    def host(self) -> str:
        """Where the browser will be sent, for its person to read."""
        return urlsplit(self._target or "").netloc

    @property
    def origin(self) -> str | None:
        """The same, as a source of a Content-Security-Policy."""
        return source_of(self._target) if self._target else None

    @property
    def _target(self) -> str | None:
        asked = str(self.waiting.request.parameters.get("redirect_uri") or "")
        uri = asked or (self.client.redirect_uris[0] if len(self.client.redirect_uris) == 1 else "")
        return uri if uri and redirect_uris.matches(self.client.redirect_uris, uri) else None


def find(db: Connection, client_id: str, request_uri: str, *, now: datetime) -> WaitingApp | None:
    """Answer the app behind a request that still waits."""
    registered = clients.by_id(db, client_id)
    waiting = requests.find(db, request_uri, client_id, now=now)
    if registered is None or waiting is None or registered.client.disabled_at is not None:
        return None
    return WaitingApp(registered.client, waiting)


def behind(return_to: str | None) -> tuple[str, str] | None:
    """Answer the client id and the request that a way back names, if it leads to the authorization endpoint."""
    parts = urlsplit(return_to or "")
    if parts.path != paths.AUTHORIZE or parts.netloc:
        return None
    query = parse_qs(parts.query)
    client_id, request_uri = query.get("client_id", []), query.get("request_uri", [])
    return (client_id[0], request_uri[0]) if client_id and request_uri else None
