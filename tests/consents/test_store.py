"""Consents are remembered for an account and an app, grow, and can be taken back."""

from datetime import timedelta

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from authserver.consents import store
from tests.clocks import HandClock
from tests.conftest import add_account
from tests.oauth.conftest import App, MakeApp, make_app

__all__ = ["make_app"]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app()


def give(server: Server, who: Account, app: App, *scopes: str) -> None:
    parts, client_id = server.capabilities, app.client.client_id
    now = parts.clock.now()
    parts.database.write(lambda db: store.give(db, who.id, client_id, scopes, now=now))


def given(server: Server, who: Account, client_id: str) -> frozenset[str]:
    return server.capabilities.database.read(lambda db: store.scopes(db, who.id, client_id))


def test_consents_of_an_account_to_an_app_add_up(server: Server, app: App, alice: Account) -> None:
    for scopes in (("openid",), ("profile", "openid"), ()):
        give(server, alice, app, *scopes)
    assert given(server, alice, app.client.client_id) == {"openid", "profile"}


def test_consent_is_by_one_account_to_one_app(
    server: Server, app: App, make_app: MakeApp, alice: Account
) -> None:
    other, bob = make_app(client_id="other"), add_account(server, "Bob")
    give(server, alice, app, "openid")
    assert given(server, bob, app.client.client_id) == frozenset()
    assert given(server, alice, other.client.client_id) == given(server, alice, "nobody") == frozenset()


def test_consent_that_was_taken_back_is_none(server: Server, app: App, alice: Account) -> None:
    database, client_id = server.capabilities.database, app.client.client_id
    give(server, alice, app, "openid")
    taken = [database.write(lambda db: store.take_back(db, alice.id, client_id)) for _ in range(2)]
    assert taken == [True, False]
    assert given(server, alice, client_id) == frozenset()


def test_consents_are_listed_the_latest_first(
    server: Server, make_app: MakeApp, alice: Account, clock: HandClock
) -> None:
    for name in ("a", "b", "c"):
        clock.advance(timedelta(seconds=1))
        give(server, alice, make_app(client_id=name), name)
    found = server.capabilities.database.read(lambda db: store.of_account(db, alice.id))
    assert [(each.client_id, each.scopes) for each in found] == [
        (name, frozenset({name})) for name in ("c", "b", "a")
    ]


def test_consents_go_with_their_client(server: Server, app: App, alice: Account) -> None:
    database, client_id = server.capabilities.database, app.client.client_id
    give(server, alice, app, "openid")
    assert database.write(lambda db: clients.delete(db, client_id))
    assert database.read(lambda db: store.of_account(db, alice.id)) == []
