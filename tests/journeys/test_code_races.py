"""A hundred at once, at two server processes on one database: one code buys once, one refresh token has one successor."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.hashing import Parameters
from authserver.accounts.passwords import prepare
from authserver.accounts.usernames import canonical
from authserver.authorizations.models import authorization
from authserver.capabilities import Capabilities, Outside, build
from authserver.clients import registering
from authserver.clients.store import Client
from authserver.clock import SystemClock
from authserver.opaque import Secret
from tests.conftest import ISSUER, KEK, PASSWORD, MakeSettings, ready_made
from tests.processes import HOST, free_ports, running, status, until

AT_ONCE = 100
CALLBACK = "https://orders.example/callback"
CLIENT = Client(
    client_id="orders-web",
    client_name="Orders",
    redirect_uris=(CALLBACK,),
    grant_types=("authorization_code", "refresh_token"),
    scope="openid orders:read",
    first_party=True,
    require_pkce=False,
    registered_by="operator",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)
Answers = list[httpx2.Response]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers, the database that they share, and the one app that talks to both."""

    ports: tuple[int, int]
    parts: Capabilities
    secret: Secret

    def code(self) -> str:
        """Sign in at the first server, and authorize at the second."""
        first, second = (f"http://{HOST}:{port}" for port in self.ports)
        entered = httpx2.post(f"{first}/login", json={"username": "alice", "password": PASSWORD})
        assert entered.status_code == 200, entered.text
        cookies = "; ".join(line.partition(";")[0] for line in entered.headers.get_list("set-cookie"))
        asked = {"response_type": "code", "client_id": CLIENT.client_id, "scope": CLIENT.scope}
        sent_on = httpx2.get(f"{second}/oauth2/authorize", params=asked, headers={"Cookie": cookies})
        return parse_qs(urlsplit(sent_on.headers["location"]).query)["code"][0]

    def together(self, **fields: str) -> Answers:
        """The same request, a hundred times at once, half of them at each server."""

        async def send() -> Answers:
            limits = httpx2.Limits(max_connections=AT_ONCE)
            async with httpx2.AsyncClient(limits=limits, timeout=30, auth=self._auth) as http:
                places = [f"http://{HOST}:{self.ports[turn % 2]}/oauth2/token" for turn in range(AT_ONCE)]
                return await asyncio.gather(*(http.post(place, data=fields) for place in places))

        return asyncio.run(send())

    def token(self, **fields: str) -> httpx2.Response:
        return httpx2.post(f"http://{HOST}:{self.ports[0]}/oauth2/token", data=fields, auth=self._auth)

    @property
    def _auth(self) -> tuple[str, str]:
        return CLIENT.client_id, self.secret


@pytest.fixture
def pair(make_settings: MakeSettings, database_url: str, tmp_path: Path) -> Iterator[Pair]:
    cheap = Parameters(memory_kib=8, iterations=1, lanes=1)
    parts = build(make_settings(), Outside(SystemClock(), ready_made(), cheap))
    parts.vault.check()
    parts.rotation.keep(["RS256"])
    secret = parts.database.write(lambda db: populated(db, parts))
    known = {"issuer": ISSUER, "key_encryption_key": KEK, "database_url": database_url}
    ports = (port := free_ports(), port + 1)
    with ExitStack() as started:
        for each in ports:
            words = ("serve", "--port", str(each), "--data", str(tmp_path))
            started.enter_context(running(words, tmp_path / f"{each}.log", known))
        for each in ports:
            until(lambda each=each: status(each, "/readyz") == 200, within=30)  # type: ignore[misc]
        yield Pair(ports, parts, secret)
    parts.database.close()


def populated(db: Connection, parts: Capabilities) -> Secret:
    now, hashed = parts.clock.now(), parts.hasher.hash(prepare(PASSWORD))
    accounts.create(db, canonical("alice"), display_name="Alice", password_hash=hashed, roles=(), now=now)
    secret = registering.register(db, CLIENT, now)
    assert secret is not None
    return secret


def counted(answers: Answers) -> Counter[tuple[int, str]]:
    return Counter((answer.status_code, answer.json().get("error", "")) for answer in answers)


def test_one_of_a_hundred_exchanges_gets_the_tokens_and_loses_them_again(pair: Pair) -> None:
    """Somebody has the code who should not have it, so nothing that it bought goes on (RFC 6749 §4.1.2)."""
    answers = pair.together(grant_type="authorization_code", code=pair.code())
    assert counted(answers) == {(200, ""): 1, (400, "invalid_grant"): AT_ONCE - 1}
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    again = pair.token(grant_type="refresh_token", refresh_token=won["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_hundred_refreshes_all_get_the_same_successor_and_one_branch_lives(pair: Pair) -> None:
    first = pair.token(grant_type="authorization_code", code=pair.code()).json()["refresh_token"]
    answers = pair.together(grant_type="refresh_token", refresh_token=first)
    assert counted(answers) == {(200, ""): AT_ONCE}
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert len({answer.json()["access_token"] for answer in answers}) == AT_ONCE
    rows = pair.parts.database.read(lambda db: db.execute(authorization.select()).all())
    assert [row.ended_at for row in rows] == [None]
    assert first not in successors
    assert pair.token(grant_type="refresh_token", refresh_token=successors.pop()).status_code == 200
