"""Nothing single-use is won twice: the statements alone, without the reads that come before them."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Connection

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.authorizations import requests, store
from authserver.authorizations.refresh_tokens import hashed
from tests.conftest import PASSWORD
from tests.oauth.conftest import App, MakeApp, make_app
from tests.visitor import Visitor

__all__ = ["make_app"]


@pytest.fixture
def grant_id(server: Server, alice: Account, visitor: Visitor, app: App) -> str:
    visitor.sign_in(alice.username, PASSWORD)
    return app.code(visitor).partition(".")[0]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app()


def test_code_is_claimed_once_and_never_after_its_end(server: Server, grant_id: str) -> None:
    parts = server.capabilities
    now = parts.clock.now()
    until = now + timedelta(hours=1)

    def claim() -> bool:
        return parts.database.write(
            lambda db: store.use_code(db, grant_id, now=now, until=until, refresh=(b"key", hashed("a")))
        )

    assert [claim(), claim()] == [True, False]


def test_ended_authorization_gives_neither_code_nor_successor(server: Server, grant_id: str) -> None:
    parts = server.capabilities
    now = parts.clock.now()
    ended = [parts.database.write(lambda db: store.end(db, grant_id, now=now)) for _ in range(2)]
    assert ended == [True, False]
    until = now + timedelta(hours=1)
    assert not parts.database.write(
        lambda db: store.use_code(db, grant_id, now=now, until=until, refresh=(b"key", hashed("a")))
    )
    assert not parts.database.write(lambda db: store.rotate(db, grant_id, hashed("a"), hashed("b"), now=now))


def test_refresh_token_is_replaced_by_whoever_holds_the_newest(server: Server, grant_id: str) -> None:
    parts = server.capabilities
    now = parts.clock.now()
    until = now + timedelta(hours=1)
    parts.database.write(
        lambda db: store.use_code(db, grant_id, now=now, until=until, refresh=(b"key", hashed("a")))
    )
    steps = [*pairwise("abc"), *pairwise("ab"), ("x", "y")]

    def rotate(db: Connection) -> list[bool]:
        return [store.rotate(db, grant_id, hashed(old), hashed(new), now=now) for old, new in steps]

    assert parts.database.write(rotate) == [True, True, False, False]


def test_request_is_answered_once(server: Server, app: App) -> None:
    parts, client_id = server.capabilities, app.client.client_id
    now = parts.clock.now()
    name = parts.database.write(lambda db: requests.push(db, client_id, {}, now=now))
    waiting = parts.database.read(lambda db: requests.find(db, name, client_id, now=now))
    assert waiting is not None
    finished = [parts.database.write(lambda db: requests.finish(db, waiting, now=now)) for _ in range(2)]
    assert finished == [True, False]
    assert parts.database.read(lambda db: requests.find(db, name, client_id, now=now)) is None


def test_names_of_requests_are_for_their_client_and_their_time(server: Server, app: App) -> None:
    parts, client_id = server.capabilities, app.client.client_id
    now = parts.clock.now()
    name = parts.database.write(lambda db: requests.set_aside(db, client_id, {}, now=now))
    for other, when in (("nobody", now), (client_id, now + requests.WAITS_FOR)):
        assert parts.database.read(lambda db, o=other, w=when: requests.find(db, name, o, now=w)) is None  # type: ignore[misc]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (None, ("profile", "orders:read")),
        ("openid", ("openid",)),
        ("orders:read openid orders:read admin", ("orders:read", "openid")),
        ("admin", ()),
    ],
)
def test_scopes_are_what_is_asked_and_registered(asked: str | None, given: tuple[str, ...]) -> None:
    assert requests.scopes(asked, ("openid", "profile", "orders:read", "offline_access")) == given
