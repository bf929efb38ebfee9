"""An app has to hear of a logout, whatever is killed in between: real processes, real requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.database import Database
from authserver.deliveries import store
from authserver.deliveries.sender import LEASE
from authserver.deliveries.store import Delivery
from authserver.protocol import paths
from authserver.protocol.cookies import SESSION
from tests.databases import sqlite_url
from tests.deliveries.conftest import Receiver
from tests.faults.login import Person, Server, give_keys
from tests.oauth.conftest import CALLBACK, CHALLENGE, VERIFIER
from tests.processes import free_ports, until

WITHIN = 2.0  # seconds; measured: some 100 ms


@dataclass
class Scene:
    """A server, an app that wants to hear, and a way to sign people in to it."""

    server: Server
    receiver: Receiver
    database: Database

    def ledger(self) -> list[Delivery]:
        """The newest first."""
        return self.database.read(lambda db: store.page(db, limit=10))

    def person(self) -> Person:
        """Somebody new, signed in here and in the app."""
        person = Person(self.server.port)
        with httpx2.Client(
            base_url=self.server.origin, headers={"Cookie": f"{SESSION}={person.session}"}
        ) as http:
            asked = {
                "response_type": "code",
                "client_id": "shop",
                "redirect_uri": CALLBACK,
                "scope": "openid",
                "code_challenge": CHALLENGE,
                "code_challenge_method": "S256",
            }
            there = http.get(paths.AUTHORIZE, params=asked).headers["location"]
            code = parse_qs(urlsplit(there).query)["code"][0]
            form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
            form |= {"client_id": "shop", "code_verifier": VERIFIER}
            assert http.post(paths.TOKEN, data=form).status_code == 200
        return person

    def heard(self) -> list[str]:
        """Of which sessions the app has heard, by tokens that it verified with the published keys."""
        keys = KeySet.import_key_set(httpx2.get(self.server.origin + paths.JWKS).json())
        tokens = [
            jwt.decode(form["logout_token"], keys, algorithms=["RS256"]) for form in self.receiver.forms
        ]
        assert all(token.header["typ"] == "logout+jwt" for token in tokens)
        assert len({token.claims["jti"] for token in tokens}) == len(tokens)
        return [str(token.claims["sid"]) for token in tokens]


@pytest.fixture(scope="module")
def module_scene(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Scene]:
    folder, receiver = tmp_path_factory.mktemp("login"), Receiver()
    receiver.open()
    database = Database(sqlite_url(sqlite_template, folder))
    shop = Client(
        client_id="shop",
        client_name="Shop",
        redirect_uris=(CALLBACK,),
        scope="openid",
        token_endpoint_auth_method="none",
        first_party=True,
        backchannel_logout_uri=receiver.uri,
        registered_by="operator",
        created_at=datetime.now(UTC),
    )
    database.write(lambda db: clients.add(db, shop))
    give_keys(folder)
    with Server(folder, free_ports()) as server:
        yield Scene(server, receiver, database)
    receiver.close()
    database.close()


@pytest.fixture
def scene(module_scene: Scene) -> Scene:
    module_scene.server.revive()
    module_scene.receiver.forms.clear()
    return module_scene


def test_app_that_was_down_hears_when_it_is_up_though_the_server_was_killed_meanwhile(scene: Scene) -> None:
    person = scene.person()
    scene.receiver.close()
    assert person.sign_out(scene.server.port)
    until(lambda: scene.ledger()[0].last_error == "no_connection")
    scene.server.kill()
    scene.receiver.open()
    scene.server.start()
    scene.server.wait()
    scene.receiver.wait_for(
        1, 2 * LEASE.total_seconds()
    )  # it may have been claimed once more when its server died
    assert scene.heard() == [person.sid]


def test_app_hears_at_once_and_of_each_session_once(scene: Scene) -> None:
    persons = [scene.person() for _ in range(5)]
    for number, person in enumerate(persons, start=1):
        acknowledged = person.sign_out(scene.server.port)
        assert acknowledged
        scene.receiver.wait_for(number)
        assert monotonic() - acknowledged < 1.0  # measured: some 20 ms
    assert sorted(scene.heard()) == sorted(person.sid for person in persons)


def test_end_by_another_process_is_told_by_the_server(scene: Scene) -> None:
    """The command line has no sender: it writes the row, and whoever serves sends it."""
    person = scene.person()
    ended = scene.server.command("session", "end", person.sid, "--wait", "0")
    until(lambda: scene.receiver.forms)
    assert monotonic() - ended < WITHIN
    assert scene.heard() == [person.sid]
