"""One server for each plan, as the suite has it; a browser of its own, and nobody signed in, for each module."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.hashing import Parameters
from authserver.accounts.profile import Profile
from authserver.app import Server, create_app
from authserver.capabilities import Outside
from authserver.clients import metadata, registering
from authserver.clients.store import Client
from authserver.opaque import Secret
from authserver.settings import load
from tests.attacks.fast_servers import logs_of_production
from tests.clocks import HandClock
from tests.conformance import fapi
from tests.conformance.browser import Browser
from tests.conformance.credentials import ByForm, ByHeader
from tests.conformance.relying_party import CALLBACK, Register, RelyingParty
from tests.conftest import ISSUER, KEK, add_account, ready_made
from tests.databases import sqlite_url
from tests.oauth.reading import Later
from tests.visitor import Visitor

__all__ = ["logs_of_production"]

PROFILE: dict[str, Any] = {
    "given_name": "Alice",
    "family_name": "Kim",
    "email": "alice@example.com",
    "email_verified": True,
    "phone_number": "+8223123456",
    "phone_number_verified": True,
    "address": {"locality": "Seoul", "country": "KR"},
}
SCOPES = "openid profile email address phone"
REGISTRATION = {
    "client_name": "Relying party",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": f"{SCOPES} offline_access",
}
WITHOUT_PKCE = {"require_pkce": False}  # the suite sends it in one module
_addresses = itertools.count(1)


@pytest.fixture(scope="module")
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="module")
def server(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, clock: HandClock
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("conformance")
    settings = load(
        issuer=ISSUER,
        data=folder,
        database_url=sqlite_url(sqlite_template, folder),
        key_encryption_key=KEK,
        signing_algorithms=("RS256", "ES256"),
    )
    made = create_app(settings, Outside(clock, ready_made(), Parameters(memory_kib=8, iterations=1, lanes=1)))
    made.start()
    alice = add_account(made, "Alice")
    made.capabilities.database.write(lambda db: accounts.set_profile(db, alice.id, Profile(PROFILE)))
    yield made
    made.runner.close()
    made.capabilities.database.close()


@pytest.fixture(scope="module")
def register(server: Server) -> Register:
    """Register a client as `client create` does; answer its secret, if it has one."""
    parts = server.capabilities

    def add(client_id: str, said: dict[str, Any], ours: dict[str, Any] | None = None) -> Secret | None:
        registration = metadata.read(said, ours or {}, limits=registering.limits(parts.settings))
        assert not isinstance(registration, list), registration
        now = parts.clock.now()

        def write(db: Connection) -> Secret | None:
            client = Client.of(registration, client_id, registered_by="operator", now=now)
            return registering.register(db, client, now)

        return parts.database.write(write)

    return add


@pytest.fixture(scope="module")
def program(server: Server) -> Iterator[Visitor]:
    """The relying party's own way to the server."""
    with Visitor(server, ISSUER, address="198.51.100.7") as visitor:
        yield visitor


@pytest.fixture
def later(server: Server, clock: HandClock) -> Later:
    return Later(clock, server)


@pytest.fixture
def make_browser(server: Server) -> Iterator[Callable[[], Browser]]:
    made: list[Visitor] = []

    def make() -> Browser:
        made.append(Visitor(server, ISSUER, address=f"203.0.113.{next(_addresses) % 250}"))
        return Browser(made[-1])

    yield make
    for visitor in made:
        visitor.close()


@pytest.fixture
def browser(make_browser: Callable[[], Browser]) -> Browser:
    return make_browser()


@pytest.fixture(scope="module")
def fapi_program(register: Register, program: Visitor) -> Visitor:
    """The way to a server that knows the two clients of the FAPI plan."""
    fapi.register_both(register)
    return program


@pytest.fixture
def rp_bank(fapi_program: Visitor, clock: HandClock) -> RelyingParty:
    return fapi.party(fapi.BANK, fapi_program, clock)


@pytest.fixture
def rp_shop(fapi_program: Visitor, clock: HandClock) -> RelyingParty:
    return fapi.party(fapi.SHOP, fapi_program, clock)


@pytest.fixture(scope="module", params=["query", "form_post"])
def mode(request: pytest.FixtureRequest) -> dict[str, str]:
    """In the plan for `query` the parameter is left out, as the suite does."""
    return {} if request.param == "query" else {"response_mode": str(request.param)}


@pytest.fixture(scope="module")
def secrets(register: Register) -> dict[str, str]:
    ways = {"rp": "client_secret_basic", "rp2": "client_secret_basic", "rp-post": "client_secret_post"}
    return {
        name: str(register(name, {**REGISTRATION, "token_endpoint_auth_method": way}, WITHOUT_PKCE))
        for name, way in ways.items()
    }


@pytest.fixture
def rp(program: Visitor, clock: HandClock, secrets: dict[str, str], mode: dict[str, str]) -> RelyingParty:
    return RelyingParty(program, clock, "rp", ByHeader("rp", secrets["rp"]), mode)


@pytest.fixture
def rp2(program: Visitor, clock: HandClock, secrets: dict[str, str], mode: dict[str, str]) -> RelyingParty:
    return RelyingParty(program, clock, "rp2", ByHeader("rp2", secrets["rp2"]), mode)


@pytest.fixture
def rp_post(
    program: Visitor, clock: HandClock, secrets: dict[str, str], mode: dict[str, str]
) -> RelyingParty:
    return RelyingParty(program, clock, "rp-post", ByForm("rp-post", secrets["rp-post"]), mode)
