"""What every test may ask for. Both databases are real; only clock, key pairs and hash cost are replaced."""

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.hashing import Parameters
from authserver.accounts.passwords import prepare
from authserver.accounts.store import Account
from authserver.accounts.usernames import canonical
from authserver.app import Server, create_app
from authserver.capabilities import Capabilities, Outside, build
from authserver.database import Database
from authserver.keyring.generation import Generate, NewKey
from authserver.keyring.states import SigningKey, State
from authserver.settings import Settings, load
from tests.clocks import HandClock
from tests.databases import PostgreSQL, migrated_sqlite, sqlite_url
from tests.signing_keys import ec_key_pairs, rsa_key_pairs
from tests.visitor import Visitor

ISSUER = "https://login.example.com"
PASSWORD = "mandolin velocity crumpet oxide"
KEK = "MDEyMzQ1Njc4OWFiY2RlZkdISUpLTE1OT1BRUlNUVVY="

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi"})

MakeServer = Callable[..., Server]
MakeSettings = Callable[..., Settings]
MakeCapabilities = Callable[..., Capabilities]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return migrated_sqlite(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Not below pytest's own folders: run by root, PostgreSQL becomes another user, who may not enter those."""
    with TemporaryDirectory(prefix="authserver-postgresql-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        server = PostgreSQL(Path(folder) / "data")
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield sqlite_url(request.getfixturevalue("sqlite_template"), tmp_path)
        return
    with request.getfixturevalue("postgresql").emptied() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def generate() -> Generate:
    return ready_made()


@pytest.fixture
def outside(clock: HandClock, generate: Generate) -> Outside:
    return Outside(clock, generate, Parameters(memory_kib=8, iterations=1, lanes=1))


@pytest.fixture
def make_settings(database_url: str, tmp_path: Path) -> MakeSettings:
    def make(**chosen: Any) -> Settings:
        defaults = {
            "issuer": ISSUER,
            "data": tmp_path,
            "database_url": database_url,
            "key_encryption_key": KEK,
        }
        return load(**{**defaults, **chosen})

    return make


@pytest.fixture
def make_capabilities(make_settings: MakeSettings, outside: Outside) -> Iterator[Callable[..., Capabilities]]:
    """Capabilities without a server, as the command line has them."""
    made: list[Capabilities] = []

    def make(**chosen: Any) -> Capabilities:
        made.append(build(make_settings(**chosen), outside))
        made[-1].vault.check()
        return made[-1]

    yield make
    for parts in made:
        parts.database.close()


@pytest.fixture
def make_server(make_settings: Callable[..., Settings], outside: Outside) -> Iterator[MakeServer]:
    made: list[Server] = []

    def make(**chosen: object) -> Server:
        server = create_app(make_settings(**chosen), outside)
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.runner.close()
        server.capabilities.database.close()


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server()


@pytest.fixture
def make_visitor() -> Iterator[Callable[..., Visitor]]:
    made: list[Visitor] = []

    def make(server: Server, **more: str) -> Visitor:
        made.append(Visitor(server, server.settings.issuer, **more))
        return made[-1]

    yield make
    for visitor in made:
        visitor.close()


@pytest.fixture
def visitor(server: Server, make_visitor: Callable[..., Visitor]) -> Visitor:
    return make_visitor(server)


@pytest.fixture
def alice(server: Server) -> Account:
    return add_account(server, "Alice", roles=("staff", "user"))


def add_account(server: Server, name: str, password: str = PASSWORD, roles: tuple[str, ...] = ()) -> Account:
    """Create an account in a server's database."""
    parts = server.capabilities
    password_hash = parts.hasher.hash(prepare(password))

    def create(db: Connection) -> Account:
        return accounts.create(
            db,
            canonical(name),
            display_name=name,
            password_hash=password_hash,
            roles=roles,
            now=parts.clock.now(),
        )

    return parts.database.write(create)


def ready_made(first: int = 0) -> Generate:
    """Key pairs that were made once and lie in tests/keys: making one takes a tenth of a second."""
    rsa, ec = rsa_key_pairs(), ec_key_pairs()
    pairs = {"RS256": itertools.cycle((*rsa[first:], *rsa[:first])), "ES256": itertools.cycle(ec)}

    def next_pair(algorithm: str, now: datetime) -> NewKey:
        private_jwk = next(pairs[algorithm])
        public_jwk = {name: value for name, value in private_jwk.items() if name not in PRIVATE_MEMBERS}
        key = SigningKey(private_jwk["kid"], algorithm, State.NEXT, public_jwk, now)
        return NewKey(key, private_jwk)

    return next_pair
