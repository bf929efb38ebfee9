"""The three steps of signing in, with something else done between them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.accounts.passwords import prepare
from authserver.accounts.store import Account
from authserver.accounts.throttling import Limits
from authserver.app import Server
from authserver.sessions.sign_in import Browser, Candidate, Checked, Failed, SignedIn, SignIn
from authserver.sessions.sign_out import NotYet
from tests.clocks import HandClock
from tests.conftest import PASSWORD

BROWSER = Browser("203.0.113.7", "a browser")
Change = Callable[[Server, Connection, Account], object]


@pytest.fixture
def sign_in(server: Server) -> SignIn:
    parts = server.capabilities
    return SignIn(parts.hasher, Limits(), parts.lifetime, parts.sign_out, parts.clock)


def checked(server: Server, sign_in: SignIn, password: str = PASSWORD) -> Checked:
    candidate = server.capabilities.database.write(lambda db: sign_in.begin(db, "alice", password, BROWSER))
    assert isinstance(candidate, Candidate)
    return sign_in.check(candidate)


def disable(server: Server, db: Connection, account: Account) -> None:
    server.capabilities.consequences.disable(db, account, server.capabilities.clock.now())


def change_password(server: Server, db: Connection, account: Account) -> None:
    parts = server.capabilities
    new = parts.hasher.hash(prepare("quartz lantern otter brisk"))
    parts.consequences.change_password(db, account, new, parts.clock.now(), "operator")


def delete(_server: Server, db: Connection, account: Account) -> None:
    db.exec_driver_sql(f"DELETE FROM account WHERE id = '{account.id}'")


@pytest.mark.parametrize("change", [disable, change_password, delete])
def test_what_happens_to_the_account_while_the_password_is_hashed_wins(
    server: Server, sign_in: SignIn, alice: Account, change: Change
) -> None:
    database, found = server.capabilities.database, checked(server, sign_in)
    database.write(lambda db: change(server, db, alice) and None)
    assert isinstance(database.write(lambda db: sign_in.complete(db, found)), Failed)
    count = "SELECT count(*) FROM session"
    assert database.read(lambda db: db.exec_driver_sql(count).scalar_one()) == 0


def test_right_after_a_sign_out_everywhere_a_sign_in_waits_for_the_next_second(
    server: Server, sign_in: SignIn, alice: Account, clock: HandClock
) -> None:
    database, found = server.capabilities.database, checked(server, sign_in)
    clock.advance(0.4)
    server.capabilities.database.write(
        lambda db: server.capabilities.consequences.sign_out(db, alice, clock.now()) and None
    )
    early = database.write(lambda db: sign_in.complete(db, found))
    assert isinstance(early, NotYet)
    assert early.until - clock.now() == timedelta(seconds=0.6)
    clock.advance(0.6)
    assert isinstance(database.write(lambda db: sign_in.complete(db, found)), SignedIn)


def test_a_failure_leaves_its_trace_though_nobody_is_signed_in(
    server: Server, sign_in: SignIn, alice: Account
) -> None:
    database, found = server.capabilities.database, checked(server, sign_in, "not the password")
    database.write(lambda db: sign_in.complete(db, found))
    rows = database.read(
        lambda db: db.exec_driver_sql("SELECT event, account_id, detail FROM audit_entry").all()
    )
    [failed] = [row for row in rows if row.event == "sign_in.failed"]
    assert failed.account_id == alice.id
    assert "not the password" not in str(failed)


def test_a_session_stores_no_secret_of_its_cookies(server: Server, sign_in: SignIn, alice: Account) -> None:
    database, found = server.capabilities.database, checked(server, sign_in)
    signed_in = database.write(lambda db: sign_in.complete(db, found))
    assert isinstance(signed_in, SignedIn)
    for table in ("session", "known_device", "audit_entry"):
        select = f"SELECT * FROM {table}"
        rows = str(database.read(lambda db: db.exec_driver_sql(select).all()))  # noqa: B023 - runs at once
        assert signed_in.secret not in rows
        assert (signed_in.device_secret or "-") not in rows
