"""An app that connects to the server, as its developer would write it: by the RFCs, over HTTP."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from sqlalchemy import Connection

from authserver.app import Server
from authserver.clients import secrets, store
from authserver.clients.store import Client
from authserver.opaque import Secret
from tests.attacks.fast_servers import make_settings
from tests.visitor import Visitor

__all__ = ["make_settings"]

CALLBACK = "https://orders.example/callback"
VERIFIER = "a-code-verifier-of-43-characters-or-more-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPES = "openid profile email roles offline_access orders:read orders:write"
GRANTS = ("authorization_code", "refresh_token", "client_credentials")


@dataclass
class App:
    """A registered client and what its developer knows."""

    client: Client
    secret: Secret | None
    asked: dict[str, str] = field(default_factory=dict)

    @property
    def auth(self) -> tuple[str, str] | None:
        return (self.client.client_id, self.secret) if self.secret else None

    def request(self, **more: str | None) -> dict[str, str]:
        """Parameters of an authorization request; None leaves one out."""
        usual = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid orders:read",
            "state": "af0ifjsldkj",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def authorize(self, visitor: Visitor, **more: str | None) -> httpx2.Response:
        return visitor.get("/oauth2/authorize", params=self.request(**more))

    def code(self, visitor: Visitor, **more: str | None) -> str:
        """A code, for somebody who is signed in."""
        return returned(self.authorize(visitor, **more))["code"]

    def token(self, visitor: Visitor, **fields: str | None) -> httpx2.Response:
        """A request to the token endpoint, authenticated as this client."""
        data = {name: value for name, value in fields.items() if value is not None}
        if self.secret is None:
            data.setdefault("client_id", self.client.client_id)
        return visitor.post("/oauth2/token", data=data, auth=self.auth)

    def exchange(self, visitor: Visitor, code: str, **more: str | None) -> httpx2.Response:
        fields = {"code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER, **more}
        return self.token(visitor, grant_type="authorization_code", **fields)

    def refresh(self, visitor: Visitor, refresh_token: str, **more: str) -> httpx2.Response:
        return self.token(visitor, grant_type="refresh_token", refresh_token=refresh_token, **more)


MakeApp = Callable[..., App]


@pytest.fixture
def make_app(server: Server) -> MakeApp:
    def make(**chosen: Any) -> App:
        parts = server.capabilities
        usual = {
            "client_id": "orders-web",
            "client_name": "Orders",
            "redirect_uris": (CALLBACK,),
            "grant_types": GRANTS,
            "scope": SCOPES,
            "first_party": True,
            "id_token_signed_response_alg": parts.settings.signing_algorithms[0],
            "registered_by": "operator",
            "created_at": parts.clock.now(),
        }
        client = Client(**{**usual, **chosen})

        def register(db: Connection) -> Secret | None:
            store.add(db, client)
            return secrets.issue(db, client, parts.clock.now()) if client.by_secret else None

        return App(client, parts.database.write(register))

    return make


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app()


@pytest.fixture
def public_app(make_app: MakeApp) -> App:
    return make_app(
        client_id="orders-page",
        token_endpoint_auth_method="none",
        grant_types=("authorization_code", "refresh_token"),
    )


def returned(answer: httpx2.Response) -> dict[str, str]:
    """What an authorization response brings to the app."""
    assert answer.status_code == 303, answer.text
    place = urlsplit(answer.headers["location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == CALLBACK, answer.headers["location"]
    fields = parse_qsl(place.query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(fields)) == len(fields)
    return dict(fields)


def on_the_way(answer: httpx2.Response) -> tuple[str, dict[str, str]]:
    """Where a browser is sent before the app hears anything: a path of ours, and its query."""
    assert answer.status_code == 303, answer.text
    place = urlsplit(answer.headers["location"])
    assert not place.netloc
    return place.path, {name: values[0] for name, values in parse_qs(place.query).items()}
