"""A device gets its codes, on both databases."""

from authserver.accounts.throttling import Wait
from authserver.clients.store import Client
from authserver.database import Database
from authserver.devices import asking, store
from authserver.devices.asking import FROM_ONE_ADDRESS, GOOD_FOR, Codes
from authserver.devices.models import device_authorization
from authserver.opaque import hash_secret
from tests.clocks import HandClock
from tests.devices.conftest import WANTED


def test_what_a_device_wants_is_kept_and_its_codes_are_not(
    database: Database, codes: Codes, clock: HandClock
) -> None:
    asked = database.read(lambda db: store.waiting(db, hash_secret(codes.user_code), now=clock.now()))
    assert asked is not None
    assert (asked.client_id, asked.scope, asked.audience) == ("tv", WANTED.scope, ["https://api.example"])
    assert (asked.address, asked.user_agent) == ("203.0.113.7", "TV/1.0")
    assert asked.expires_at == clock.now() + GOOD_FOR
    rows = repr(database.read(lambda db: db.execute(device_authorization.select()).all()))
    assert codes.device_code not in rows
    assert codes.user_code not in rows


def test_user_code_that_is_in_use_is_not_given_twice(
    database: Database, codes: Codes, clock: HandClock
) -> None:
    asked = database.read(lambda db: store.waiting(db, hash_secret(codes.user_code), now=clock.now()))
    assert asked is not None
    assert not database.write(lambda db: store.add(db, asked))


def test_one_address_cannot_fill_the_table(database: Database, tv: Client, clock: HandClock) -> None:
    def flood(db: object) -> Codes | Wait:
        for _ in range(FROM_ONE_ADDRESS[0].attempts):
            assert isinstance(asking.start(db, WANTED, clock.now()), Codes)  # type: ignore[arg-type]
        return asking.start(db, WANTED, clock.now())  # type: ignore[arg-type]

    assert isinstance(database.write(flood), Wait)
    clock.advance(FROM_ONE_ADDRESS[0].seconds)
    assert isinstance(database.write(lambda db: asking.start(db, WANTED, clock.now())), Codes)


def test_codes_that_are_over_are_purged_and_no_others(
    database: Database, codes: Codes, clock: HandClock
) -> None:
    ends = clock.now() + GOOD_FOR
    assert database.write(lambda db: store.purge(db, ends, 500)) == 0
    clock.advance(1)
    assert database.write(lambda db: store.purge(db, ends + GOOD_FOR, 500)) == 1
