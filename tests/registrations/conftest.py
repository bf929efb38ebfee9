"""Clients as the tests register them."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.clients import store
from authserver.clients.store import Client
from authserver.database import Database
from tests.clocks import HandClock

CALLBACK = "https://app.example/cb"

Register = Callable[..., Client]


@pytest.fixture
def make_client(clock: HandClock) -> Register:
    def make(client_id: str = "shop", **chosen: Any) -> Client:
        words = {"client_name": "Shop", "redirect_uris": (CALLBACK,), **chosen}
        return Client(client_id=client_id, registered_by="operator", created_at=clock.now(), **words)

    return make


@pytest.fixture
def register(database: Database, make_client: Register) -> Register:
    def add(client_id: str = "shop", **chosen: Any) -> Client:
        made = make_client(client_id, **chosen)
        database.write(lambda db: store.add(db, made))
        return made

    return add
