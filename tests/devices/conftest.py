"""A client with devices, and a person who is signed in, on both databases and without a server."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.usernames import canonical
from authserver.clients import store as clients
from authserver.clients.registration import DEVICE_CODE
from authserver.clients.store import Client
from authserver.database import Database
from authserver.devices import asking
from authserver.devices.asking import Codes, Wanted
from authserver.devices.deciding import Person
from authserver.opaque import hash_secret
from authserver.sessions import store as sessions
from authserver.sessions.current import Current
from authserver.sessions.store import Session
from tests.clocks import HandClock

WANTED = Wanted("tv", "openid orders:read", ("https://api.example",), "203.0.113.7", "TV/1.0")


@pytest.fixture
def person(database: Database, clock: HandClock) -> Person:
    now = clock.now()

    def step(db: Connection) -> Person:
        account = accounts.create(
            db, canonical("alice"), display_name="Alice", password_hash=None, roles=(), now=now
        )
        session = Session(
            id="session",
            account_id=account.id,
            started_at=now,
            authenticated_at=now,
            amr=("pwd",),
            last_seen_at=now,
            expires_at=now + timedelta(days=1),
            ended_at=None,
            address=None,
            user_agent=None,
        )
        sessions.add(db, session, hash_secret("cookie"))
        return Person(Current(session, account, now), "198.51.100.9")

    return database.write(step)


@pytest.fixture
def tv(database: Database, clock: HandClock) -> Client:
    made = Client(
        client_id="tv",
        client_name="TV",
        grant_types=(DEVICE_CODE,),
        scope=WANTED.scope,
        registered_by="operator",
        created_at=clock.now(),
    )
    database.write(lambda db: clients.add(db, made))
    return made


@pytest.fixture
def codes(database: Database, clock: HandClock, tv: Client) -> Codes:
    made = database.write(lambda db: asking.start(db, WANTED, clock.now()))
    assert isinstance(made, Codes)
    return made
