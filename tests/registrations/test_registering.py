"""Registering a client and changing one, on both databases."""

from dataclasses import replace as with_other
from datetime import timedelta
from typing import Any

import pytest

from authserver.clients import store
from authserver.clients.metadata import Limits
from authserver.clients.registering import limits, merged, register, replace
from authserver.clients.registration import NONE, POST, Registration
from authserver.clients.secrets import is_one_of
from authserver.clients.store import Client, Registered
from authserver.database import Database
from tests.clocks import HandClock
from tests.conftest import MakeSettings
from tests.registrations.conftest import CALLBACK, Register

LIMITS = Limits(frozenset({"RS256"}), timedelta(hours=1))


@pytest.fixture
def shop(make_client: Register) -> Client:
    return make_client("shop", scope="openid")


def stored(database: Database) -> Registered:
    found = database.read(lambda db: store.by_id(db, "shop"))
    assert found is not None
    return found


def changed(client: Client, **changes: Any) -> Registration:
    found = merged(client, changes, LIMITS)
    assert isinstance(found, Registration), found
    return found


def test_limits_are_what_the_server_is_set_to(make_settings: MakeSettings) -> None:
    settings = make_settings(signing_algorithms=("RS256", "ES256"), access_token_lifetime="30m")
    assert limits(settings) == Limits(frozenset({"RS256", "ES256"}), timedelta(minutes=30))


def test_only_a_client_that_proves_itself_by_a_secret_gets_one(
    database: Database, shop: Client, clock: HandClock
) -> None:
    secret = database.write(lambda db: register(db, shop, clock.now()))
    assert secret is not None
    assert is_one_of(secret, stored(database).secrets, clock.now())
    public = with_other(shop, client_id="app", token_endpoint_auth_method=NONE)
    assert database.write(lambda db: register(db, public, clock.now())) is None


def test_change_replaces_what_is_named_and_keeps_the_rest(shop: Client) -> None:
    rich = with_other(shop, first_party=True, audiences=("orders",), default_max_age=60)
    found = changed(rich, scope="openid email")
    assert Client.of(found, "shop", registered_by="operator", now=shop.created_at) == with_other(
        rich, scope="openid email"
    )


def test_field_that_is_named_none_goes_back_to_its_default(shop: Client) -> None:
    found = changed(
        with_other(shop, default_max_age=60, first_party=True), default_max_age=None, first_party=None
    )
    assert (found.default_max_age, found.first_party) == (None, False)


def test_change_that_would_not_hold_together_is_refused(shop: Client) -> None:
    found = merged(shop, {"redirect_uris": []}, LIMITS)
    assert isinstance(found, list)
    assert [problem.field for problem in found] == ["redirect_uris"]


def test_two_changes_that_began_from_the_same_row_both_stay(
    database: Database, shop: Client, clock: HandClock
) -> None:
    database.write(lambda db: register(db, shop, clock.now()))
    first = changed(shop, require_pushed_authorization_requests=True)
    second = changed(shop, client_name="Other")
    for after in (first, second):
        database.write(lambda db, after=after: replace(db, shop, after, clock.now()))  # type: ignore[misc]
    found = stored(database).client
    assert found.require_pushed_authorization_requests
    assert found.client_name == "Other"


def test_what_changed_is_answered_and_nothing_where_nothing_did(
    database: Database, shop: Client, clock: HandClock
) -> None:
    database.write(lambda db: register(db, shop, clock.now()))
    other = changed(shop, redirect_uris=[CALLBACK, "https://app.example/b"])
    done = database.write(lambda db: replace(db, shop, other, clock.now()))
    assert done.columns == {"redirect_uris": (CALLBACK, "https://app.example/b")}
    again = database.write(lambda db: replace(db, shop, changed(shop), clock.now()))
    assert (again.columns, again.secret) == ({}, None)


def test_secret_goes_with_its_method_and_a_new_one_comes_with_it(
    database: Database, shop: Client, clock: HandClock
) -> None:
    old = database.write(lambda db: register(db, shop, clock.now()))
    assert old is not None
    public = changed(shop, token_endpoint_auth_method=NONE)
    assert database.write(lambda db: replace(db, shop, public, clock.now())).secret is None
    assert not is_one_of(old, stored(database).secrets, clock.now())
    before = stored(database).client
    back = changed(before, token_endpoint_auth_method=POST)
    new = database.write(lambda db: replace(db, before, back, clock.now())).secret
    assert new is not None
    assert is_one_of(new, stored(database).secrets, clock.now())
    assert not is_one_of(old, stored(database).secrets, clock.now())


def test_other_method_with_a_secret_keeps_the_secret(
    database: Database, shop: Client, clock: HandClock
) -> None:
    secret = database.write(lambda db: register(db, shop, clock.now()))
    assert secret is not None
    body = changed(shop, token_endpoint_auth_method=POST)
    assert database.write(lambda db: replace(db, shop, body, clock.now())).secret is None
    assert is_one_of(secret, stored(database).secrets, clock.now())
