"""A login service on SQLite for each module; a test that killed it need not start it again, the next one finds it alive."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import sqlite_url
from tests.faults.login import Server, give_keys
from tests.processes import free_ports


@pytest.fixture(scope="module")
def login_server(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("login")
    sqlite_url(sqlite_template, folder)
    give_keys(folder)
    with Server(folder, free_ports()) as running:
        yield running


@pytest.fixture
def server(login_server: Server) -> Server:
    login_server.revive()
    return login_server
