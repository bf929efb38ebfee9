"""Changing the ring in a real database: whoever asks, however many ask at once."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import IntegrityError

from authserver.audit import store as audit
from authserver.capabilities import Capabilities
from authserver.keyring import store
from authserver.keyring.live import CannotSign, LiveKeyring
from authserver.keyring.models import signing_key
from authserver.keyring.rotation import Change
from authserver.keyring.states import Ring, State
from authserver.keyring.vault import PrivateKeyMissing
from tests.clocks import HandClock
from tests.conftest import KEK, MakeCapabilities

LATER = timedelta(minutes=7)  # past jwks_max_age + clock_skew


@pytest.fixture
def parts(make_capabilities: MakeCapabilities) -> Capabilities:
    made = make_capabilities()
    made.rotation.keep(["RS256"])
    return made


def ring(parts: Capabilities) -> Ring:
    return parts.database.read(lambda db: store.ring(db, "RS256", ended=True))


def states(parts: Capabilities) -> list[State]:
    return sorted(key.state for key in ring(parts).keys)


def nothing_more(_db: Connection, _change: Change) -> None:
    """No revocation is written in these tests."""


def test_an_empty_keyring_gets_an_active_and_a_next_key(parts: Capabilities) -> None:
    assert states(parts) == [State.ACTIVE, State.NEXT]


def test_a_rotation_promotes_the_next_key_and_publishes_another(
    parts: Capabilities, clock: HandClock
) -> None:
    waiting = ring(parts).next
    clock.advance(LATER)
    change = parts.rotation.rotate("RS256")
    assert change.happened
    assert waiting is not None
    active = ring(parts).active
    assert active is not None
    assert active.kid == waiting.kid
    assert states(parts) == [State.ACTIVE, State.NEXT, State.RETIRED]


def test_a_rotation_that_is_too_early_waits_for_maintenance(parts: Capabilities, clock: HandClock) -> None:
    assert parts.rotation.rotate("RS256").after.promote_at == clock.now() + timedelta(minutes=6)
    assert states(parts) == [State.ACTIVE, State.NEXT]
    clock.advance(LATER)
    parts.maintenance.run()
    assert states(parts) == [State.ACTIVE, State.NEXT, State.RETIRED]
    assert ring(parts).promote_at is None


def test_four_that_rotate_at_once_make_one_new_key(parts: Capabilities, clock: HandClock) -> None:
    clock.advance(LATER)
    threads = [threading.Thread(target=parts.rotation.rotate, args=("RS256",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(parts) == [State.ACTIVE, State.NEXT, State.RETIRED]
    parts.rotation.keep(["RS256"])
    assert (
        parts.database.read(lambda db: db.execute(select(func.count()).select_from(signing_key)).scalar())
        == 3
    )


def test_four_that_start_on_an_empty_database_make_two_keys(make_capabilities: MakeCapabilities) -> None:
    made = make_capabilities()
    threads = [threading.Thread(target=made.rotation.keep, args=(["RS256"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(made) == [State.ACTIVE, State.NEXT]


def test_private_keys_of_retired_keys_are_deleted(
    parts: Capabilities, clock: HandClock, tmp_path: Path
) -> None:
    clock.advance(LATER)
    parts.rotation.rotate("RS256")
    parts.rotation.keep(["RS256"])
    wanted = {key.kid for key in ring(parts).keys if key.state in {State.ACTIVE, State.NEXT}}
    assert {file.stem for file in (tmp_path / "keys").glob("*.jw?")} == wanted


def test_the_files_of_private_keys_are_encrypted_and_for_their_owner_alone(
    parts: Capabilities, tmp_path: Path
) -> None:
    files = list((tmp_path / "keys").glob("*.jw?"))
    assert [file.suffix for file in files] == [".jwe", ".jwe"]
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert all(file.read_text().count(".") == 4 for file in files)


@pytest.mark.parametrize("key_store", ["files", "database"])
def test_another_key_encryption_key_is_put_in_use_by_rewrap(
    make_capabilities: MakeCapabilities, key_store: str
) -> None:
    new = "YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMsIHllcz8hIzE="
    old = make_capabilities(key_store=key_store)
    old.rotation.keep(["RS256"])
    both = make_capabilities(key_store=key_store, key_encryption_key=new, previous_key_encryption_keys=[KEK])
    assert len(both.rotation.rewrap()) == 2
    assert both.rotation.rewrap() == []
    only = make_capabilities(key_store=key_store, key_encryption_key=new)
    LiveKeyring(only.database, only.vault, only.clock, only.settings.clock_skew).refresh()
    with pytest.raises(PrivateKeyMissing, match="previous_key_encryption_keys"):
        LiveKeyring(old.database, old.vault, old.clock, old.settings.clock_skew).refresh()


def test_the_database_itself_refuses_a_second_active_key(parts: Capabilities) -> None:
    with pytest.raises(IntegrityError):
        parts.database.write(lambda db: db.execute(text("UPDATE signing_key SET state = 'active'")))


def test_every_change_of_a_key_is_in_the_audit_log(parts: Capabilities, clock: HandClock) -> None:
    clock.advance(LATER)
    parts.rotation.rotate("RS256")
    active = ring(parts).active
    assert active is not None
    parts.rotation.compromise(active, nothing_more)
    events = [row.event for row in parts.database.read(lambda db: audit.entries(db, limit=20))]
    assert set(events) >= {"key.published", "key.activated", "key.retired", "key.compromised"}


def test_a_server_that_cannot_confirm_its_keyring_stops_signing(
    parts: Capabilities, clock: HandClock
) -> None:
    live = LiveKeyring(parts.database, parts.vault, clock, parts.settings.clock_skew)
    with pytest.raises(CannotSign):
        live.signer("RS256")
    live.refresh()
    clock.advance(30)
    assert live.signer("RS256").algorithm == "RS256"
    clock.advance(1)
    with pytest.raises(CannotSign):
        live.signer("RS256")


def test_a_running_server_takes_a_rotation_over_by_looking_once(
    parts: Capabilities, clock: HandClock
) -> None:
    live = LiveKeyring(parts.database, parts.vault, clock, parts.settings.clock_skew)
    live.refresh()
    before = live.signer("RS256").kid
    clock.advance(LATER)
    parts.rotation.rotate("RS256")
    assert live.refresh()
    assert live.signer("RS256").kid != before
    assert before in {key["kid"] for key in live.snapshot.jwks["keys"]}
    assert not live.refresh()


def test_a_preview_changes_nothing(parts: Capabilities, clock: HandClock) -> None:
    clock.advance(LATER)
    before = ring(parts)
    change = parts.rotation.preview("RS256")
    assert change.happened
    assert ring(parts) == before
