"""What ends the tokens of a client."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.database import Database
from authserver.protocol.revocation import Kind
from authserver.revocations import store
from authserver.revocations.clients import end_tokens
from tests.clocks import HandClock

LIVE = timedelta(hours=1)


@pytest.fixture
def shop(database: Database, clock: HandClock) -> Client:
    made = Client(client_id="shop", client_name="Shop", registered_by="operator", created_at=clock.now())
    database.write(lambda db: clients.add(db, made))
    return made


def held(db: Connection) -> Client:
    found = clients.locked(db, "shop")
    assert found is not None
    return found


def test_one_entry_with_a_cut_off_at_the_next_whole_second_ends_every_token(
    database: Database, clock: HandClock, shop: Client
) -> None:
    clock.advance(0.25)
    cutoff = database.write(lambda db: end_tokens(db, held(db), clock.now(), LIVE))
    assert cutoff == shop.created_at + timedelta(seconds=1)
    [entry] = database.read(lambda db: store.after(db, 0, 1, clock.now()))
    assert (entry.kind, entry.value, entry.before) == (Kind.CLIENT_ID, "shop", cutoff)
    assert entry.expires_at == clock.now() + LIVE


def test_client_itself_says_until_when_no_token_may_be_given_out(
    database: Database, clock: HandClock, shop: Client
) -> None:
    assert shop.tokens_not_before is None
    cutoff = database.write(lambda db: end_tokens(db, held(db), clock.now(), LIVE))
    assert database.read(held).tokens_not_before == cutoff


def test_cut_off_never_goes_back_though_another_servers_clock_is_behind(
    database: Database, clock: HandClock, shop: Client
) -> None:
    first = database.write(lambda db: end_tokens(db, held(db), clock.now(), LIVE))
    clock.advance(-30)
    assert database.write(lambda db: end_tokens(db, held(db), clock.now(), LIVE)) == first
    assert database.read(held).tokens_not_before == first


def test_entry_and_cut_off_are_one_transaction(database: Database, clock: HandClock, shop: Client) -> None:
    def fail(db: Connection) -> None:
        end_tokens(db, held(db), clock.now(), LIVE)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(fail)
    assert database.read(held) == shop
    assert database.read(lambda db: store.head(db).sequence) == 0
