"""Reading answers as a client has to: by the RFCs to the letter, and with the published keys alone."""

import re
from dataclasses import dataclass
from typing import Any, cast

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet, KeySetSerialization

from authserver.app import Server
from authserver.audit import store as audit
from tests.clocks import HandClock
from tests.oauth.conftest import App
from tests.visitor import Visitor

SAYABLE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §5.2: of `error` and `error_description`
PAGE = {"Accept": "text/html"}


@dataclass(frozen=True, slots=True)
class Later:
    """Lets time pass for the clock and for a server that goes on following its keys and its list."""

    clock: HandClock
    server: Server

    def __call__(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.server.follow()


def claims(server: Server, token: str) -> dict[str, Any]:
    """The claims of a token, verified by another library."""
    keys = KeySet.import_key_set(cast(KeySetSerialization, server.keyring.snapshot.jwks))
    return dict(jwt.decode(token, keys, algorithms=["RS256", "ES256"]).claims)


def error(answer: httpx2.Response, status: int = 400) -> str:
    """The error of an endpoint for programs: JSON, in the form of RFC 6749 §5.2 and nothing beside it."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert all(SAYABLE.fullmatch(said) for said in body.values()), body
    return str(body["error"])


def leads_nowhere(answer: httpx2.Response) -> bool:
    """An error page, or (414) not even that: no redirect, no form."""
    said = answer.text
    assert answer.status_code in (400, 414), (answer.status_code, answer.headers.get("location"), said)
    return "location" not in answer.headers and "refresh" not in answer.headers and "<form" not in said


def introspected(app: App, visitor: Visitor, token: str) -> dict[str, Any]:
    answer = visitor.post("/oauth2/introspect", data={"token": token}, auth=app.auth)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def events(server: Server) -> list[str]:
    """The audit log by its events, the newest first."""
    found = server.capabilities.database.read(lambda db: audit.entries(db, limit=1000))
    return [entry.event for entry in found]


def listed(server: Server) -> list[tuple[str, str]]:
    """The revocation list as this server knows it: kinds and values."""
    known = server.revocations.known
    assert known is not None
    return [(entry.kind.value, entry.value) for entry in known.entries]
