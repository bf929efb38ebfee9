"""Invitations and registration access tokens, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from authserver.clients import store as clients
from authserver.clients.invited import invitations, registration_tokens, store
from authserver.clients.invited.models import invitation, registration_token
from authserver.clients.invited.registration_tokens import Opened
from authserver.clients.invited.rules import beyond
from authserver.clients.invited.store import Invitation
from authserver.clients.registration import CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE, Registration
from authserver.database import Database
from authserver.opaque import Secret
from tests.clocks import HandClock
from tests.registrations.conftest import CALLBACK, Register

WEEK = timedelta(days=7)


def invite(database: Database, clock: HandClock, uses: int = 1) -> tuple[Invitation, Secret]:
    def step(db: Connection) -> tuple[Invitation, Secret]:
        return invitations.invite(db, uses=uses, lasting=WEEK, scope="openid", now=clock.now())

    return database.write(step)


def opened(database: Database, client_id: str, token: str) -> Opened | None:
    return database.read(lambda db: registration_tokens.opens(db, client_id, token))


def give(database: Database, client_id: str, clock: HandClock) -> Secret:
    return database.write(lambda db: registration_tokens.give(db, client_id, "openid", clock.now()))


def test_invitation_is_found_by_its_token_alone(database: Database, clock: HandClock) -> None:
    made, token = invite(database, clock)
    assert database.read(lambda db: invitations.find(db, token, clock.now())) == made
    for wrong in ("", made.id, token[:-1], f"{token}x", "\0\udcff"):
        assert database.read(lambda db, wrong=wrong: invitations.find(db, wrong, clock.now())) is None  # type: ignore[misc]


def test_of_many_that_come_at_once_so_many_are_let_in(database: Database, clock: HandClock) -> None:
    made, token = invite(database, clock, uses=3)

    def come(_: int) -> bool:
        return database.write(lambda db: invitations.use(db, made, clock.now()))

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(come, range(20))) == 3
    assert database.read(lambda db: invitations.find(db, token, clock.now())) is None


def test_invitation_is_over_at_its_end(database: Database, clock: HandClock) -> None:
    made, token = invite(database, clock)
    clock.advance(WEEK)
    assert database.read(lambda db: invitations.find(db, token, clock.now())) is None
    assert not database.write(lambda db: invitations.use(db, made, clock.now()))


def test_what_is_used_up_or_over_is_purged_and_nothing_else(database: Database, clock: HandClock) -> None:
    used, _ = invite(database, clock)
    invite(database, clock, uses=2)
    database.write(lambda db: invitations.use(db, used, clock.now()))
    assert database.write(lambda db: store.purge(db, clock.now(), 500)) == 1
    clock.advance(WEEK)
    assert database.write(lambda db: store.purge(db, clock.now(), 500)) == 1


def test_token_opens_its_own_client_and_no_other(
    database: Database, register: Register, clock: HandClock
) -> None:
    shop, other = register("shop"), register("other")
    token = give(database, "shop", clock)
    give(database, "other", clock)
    assert opened(database, "shop", token) == Opened(shop, "openid")
    for client_id in (other.client_id, "nobody", "", "\0", "한국"):
        assert opened(database, client_id, token) is None


def test_client_of_the_operator_is_opened_by_nothing(database: Database, register: Register) -> None:
    register("shop")
    for token in ("", "\0" * 32, "shop"):
        assert opened(database, "shop", token) is None


def test_new_token_takes_the_place_of_the_old_one(
    database: Database, register: Register, clock: HandClock
) -> None:
    register("shop")
    old, new = give(database, "shop", clock), give(database, "shop", clock)
    assert opened(database, "shop", old) is None
    assert opened(database, "shop", new) is not None


def test_disabled_client_is_shut(database: Database, register: Register, clock: HandClock) -> None:
    register("shop")
    token = give(database, "shop", clock)
    database.write(lambda db: clients.change(db, "shop", disabled_at=clock.now()))
    assert opened(database, "shop", token) is None


def test_token_goes_with_its_client(database: Database, register: Register, clock: HandClock) -> None:
    register("shop")
    token = give(database, "shop", clock)
    database.write(lambda db: clients.delete(db, "shop"))
    assert not database.read(lambda db: db.execute(registration_token.select()).all())
    register("shop")
    assert opened(database, "shop", token) is None


def test_nothing_in_the_tables_opens_anything(
    database: Database, register: Register, clock: HandClock
) -> None:
    register("shop")
    secrets = (invite(database, clock)[1], give(database, "shop", clock))
    rows = database.read(
        lambda db: repr([db.execute(table.select()).all() for table in (invitation, registration_token)])
    )
    assert not [secret for secret in secrets if secret in rows]


CODE: dict[str, Any] = {"client_name": "Shop", "redirect_uris": (CALLBACK,), "scope": "openid"}


def test_client_that_registers_itself_is_for_people_and_within_its_invitation() -> None:
    assert not list(beyond(Registration(**CODE), "openid email"))
    for said, field in (
        ({"scope": "openid orders:read"}, "scope"),
        ({"grant_types": (CLIENT_CREDENTIALS,)}, "grant_types"),
        ({"grant_types": ("authorization_code", TOKEN_EXCHANGE)}, "grant_types"),
        ({"sector_identifier_uri": "https://bank.example/s"}, "sector_identifier_uri"),
        ({"subject_type": "pairwise", "grant_types": ("authorization_code", DEVICE_CODE)}, "subject_type"),
    ):
        [problem] = beyond(Registration(**{**CODE, **said}), "openid email")
        assert problem.field == field


@pytest.mark.parametrize(
    "given",
    [
        {"scope": "openid orders:read"},
        {"grant_types": ("authorization_code", CLIENT_CREDENTIALS)},
        {"sector_identifier_uri": "https://bank.example/s"},
    ],
)
def test_what_the_operator_gave_a_client_later_it_keeps(given: dict[str, object]) -> None:
    registration = Registration(**{**CODE, **given})
    assert list(beyond(registration, "openid"))
    assert not list(beyond(registration, "openid", registration))
