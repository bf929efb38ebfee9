"""What a command says when the database turns it away: who, where and what to look at, and never the password."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from authserver.database import Database, DatabaseShut, DatabaseUnavailable
from tests.cli.conftest import Cli, on_sqlite


def trouble(url: str) -> str:
    """What a read says, still the error that a server answers with 503."""
    database = Database(url)
    with pytest.raises(DatabaseUnavailable) as raised:
        database.read(lambda _: None)
    database.close()
    return str(raised.value)


@contextmanager
def refusing(message: bytes, code: bytes) -> Iterator[int]:
    """A port behind which a PostgreSQL refuses everybody with one ErrorResponse (protocol 3.0 §55.7)."""
    fields = b"SFATAL\0VFATAL\0C" + code + b"\0M" + message + b"\0\0"
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        visitor, _ = listener.accept()
        with visitor:
            visitor.recv(1024)
            visitor.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        thread.join(5)
        listener.close()


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        (b"28P01", b'password authentication failed for user "me"', "refuses the password of me at {}"),
        (b"28000", b'no pg_hba.conf entry for host "::1", user "me"', "does not let me in at {}"),
        (b"28000", b'role "me" does not exist', "the database at {} has no user me"),
        (
            b"3D000",
            b'database "auth" does not exist',
            "no database auth at {}: create it, or check database_url",
        ),
        (b"57P03", b"the database system is starting up", "does not answer (connection"),
    ],
)
def test_refusal_while_connecting_is_told_apart(code: bytes, message: bytes, said: str) -> None:
    with refusing(message, code) as port:
        words = trouble(
            f"postgresql+psycopg://me:hunter2@127.0.0.1:{port}/auth?sslmode=disable&gssencmode=disable"
        )
    assert said.format(f"127.0.0.1:{port}") in words
    assert "hunter2" not in words


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_missing_database_of_a_real_server_is_named(database_url: str) -> None:
    url = make_url(database_url)
    said = trouble(url.set(database="nowhere").render_as_string(hide_password=False))
    assert said.startswith("there is no database nowhere at ")
    assert "has no user nobody" in trouble(url.set(username="nobody").render_as_string(hide_password=False))


def test_nothing_that_listens_is_said_with_its_address() -> None:
    assert trouble("postgresql+psycopg://me:hunter2@127.0.0.1:1/x") == (
        "nothing listens at 127.0.0.1:1: start the database, or check database_url"
    )


def test_what_has_no_words_of_ours_comes_in_the_drivers(tmp_path: Path) -> None:
    """A name that ends in .invalid is nobody's (RFC 6761 §6.4)."""
    assert "'nobody.invalid'" in trouble("postgresql+psycopg://me:hunter2@nobody.invalid/x")


def test_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}")
    with pytest.raises(DatabaseShut, match="cannot be used by this user") as raised:
        database.read(lambda _: None)
    assert str(tmp_path) in str(raised.value)


@on_sqlite
def test_command_adds_no_advice_to_what_is_clear(cli: Cli) -> None:
    cli.env["AUTHSERVER_DATABASE_URL"] = "postgresql+psycopg://me:hunter2@127.0.0.1:1/x"
    assert cli.refusal("account", "list").endswith("start the database, or check database_url")
