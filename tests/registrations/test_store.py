"""The tables of clients, on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from authserver.clients import store
from authserver.clients.models import client, client_secret
from authserver.clients.store import Client, ClientIdTaken
from authserver.database import Database
from authserver.opaque import hash_secret
from tests.clocks import HandClock
from tests.registrations.conftest import CALLBACK, Register

EVERYTHING = {
    "redirect_uris": (CALLBACK, "http://127.0.0.1/cb"),
    "post_logout_redirect_uris": ("https://app.example/bye",),
    "grant_types": ("authorization_code", "refresh_token"),
    "scope": "openid orders:read",
    "audiences": ("https://api.example",),
    "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "abc"}]},
    "default_max_age": 3600,
    "first_party": True,
    "require_pkce": False,
    "contacts": ("ops@app.example",),
    "client_name": "가게 «Shop»",
}


def found(database: Database, client_id: str) -> Client | None:
    registered = database.read(lambda db: store.by_id(db, client_id))
    return None if registered is None else registered.client


def add_secret(database: Database, client_id: str, secret: str, now: datetime) -> None:
    database.write(lambda db: store.add_secret(db, client_id, hash_secret(secret), now=now))


def test_a_client_is_exactly_the_columns_of_its_table() -> None:
    assert set(store.NAMES) == {column.name for column in client.columns}


def test_client_is_read_as_it_was_added(database: Database, register: Register) -> None:
    made = register("shop", **EVERYTHING)
    assert found(database, "shop") == made
    assert database.read(lambda db: store.locked(db, "shop")) == made


def test_client_comes_with_its_secrets_and_nobody_elses_in_one_statement(
    database: Database, register: Register, clock: HandClock
) -> None:
    for name in ("shop", "other"):
        register(name)
    for name, text in (("shop", "one"), ("shop", "two"), ("other", "three")):
        add_secret(database, name, text, clock.now())
    registered = database.read(lambda db: store.by_id(db, "shop"))
    assert registered is not None
    assert {one.hash for one in registered.secrets} == {hash_secret("one"), hash_secret("two")}
    assert all(one.created_at == clock.now() for one in registered.secrets)


def test_client_without_a_secret_has_none(database: Database, register: Register) -> None:
    register("app")
    registered = database.read(lambda db: store.by_id(db, "app"))
    assert registered is not None
    assert registered.secrets == ()


@pytest.mark.parametrize(
    "asked",
    [
        "Shop", "SHOP", "shop ", " shop", "sho", "shop2", "shop\0", "shop%00", "ѕhop", "ｓhop", "\udcff", "",
        "x" * 256, "x" * 100_000, "' OR 1=1--", "*", "%", "shop\nother",
    ],
)  # fmt: skip
def test_client_is_found_under_its_own_id_only(database: Database, register: Register, asked: str) -> None:
    register("shop")
    assert found(database, asked) is None
    assert database.read(lambda db: store.locked(db, asked)) is None


def test_second_client_of_an_id_is_refused(database: Database, register: Register) -> None:
    made = register("shop")
    with pytest.raises(ClientIdTaken):
        register("shop", client_name="Another")
    assert found(database, "shop") == made


def test_change_sets_what_is_named_and_nothing_else(
    database: Database, register: Register, clock: HandClock
) -> None:
    made, other = register("shop", **EVERYTHING), register("other")
    database.write(lambda db: store.change(db, "shop", disabled_at=clock.now(), audiences=("a", "b")))
    assert found(database, "shop") == replace(made, disabled_at=clock.now(), audiences=("a", "b"))
    assert found(database, "other") == other


def test_deleted_client_leaves_no_secret_behind(
    database: Database, register: Register, clock: HandClock
) -> None:
    register("shop")
    add_secret(database, "shop", "one", clock.now())
    assert database.write(lambda db: store.delete(db, "shop")) is True
    assert database.write(lambda db: store.delete(db, "shop")) is False
    assert database.read(lambda db: list(db.execute(client_secret.select()))) == []


def test_clients_are_answered_in_pages(database: Database, register: Register) -> None:
    for name in ("carol", "alice", "bob"):
        register(name)
    assert [one.client_id for one in database.read(lambda db: store.page(db, limit=2))] == ["alice", "bob"]
    assert [one.client_id for one in database.read(lambda db: store.page(db, after="bob"))] == ["carol"]


def test_secret_that_ends_sooner_is_left_to_it(
    database: Database, register: Register, clock: HandClock
) -> None:
    register("shop")
    soon, late = clock.now() + timedelta(minutes=1), clock.now() + timedelta(days=1)
    add_secret(database, "shop", "one", clock.now())
    database.write(lambda db: store.expire_secrets(db, "shop", at=soon))
    database.write(lambda db: store.expire_secrets(db, "shop", at=late))
    registered = database.read(lambda db: store.by_id(db, "shop"))
    assert registered is not None
    assert [one.expires_at for one in registered.secrets] == [soon]
