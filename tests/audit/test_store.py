"""The audit log's chain: whole while it is only added to, broken by any other change."""

from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import Connection, text

from authserver.audit import store
from authserver.audit.store import Entry
from authserver.database import Database

NOW = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def filled(database: Database) -> Database:
    for number in range(3):
        entry = Entry(
            "sign_in.succeeded", NOW, "account", f"account-{number}", detail={"n": number, "이름": "값"}
        )
        database.write(partial(store.record, entry=entry))
    return database


def test_the_chain_is_whole_after_entries_were_added(filled: Database) -> None:
    found = filled.read(store.verify)
    assert (found.count, found.broken_at) == (3, None)
    assert len(found.head) == 64


def test_an_empty_log_is_whole(database: Database) -> None:
    assert database.read(store.verify).broken_at is None


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("UPDATE audit_entry SET event = 'nothing' WHERE sequence = 2", 2),
        ("UPDATE audit_entry SET account_id = NULL WHERE sequence = 1", 1),
        ("DELETE FROM audit_entry WHERE sequence = 2", 2),
        ("DELETE FROM audit_entry WHERE sequence = 3", 3),
        ("DELETE FROM audit_entry", 1),
    ],
)
def test_a_row_that_was_changed_or_taken_out_breaks_the_chain_there(
    filled: Database, change: str, broken_at: int
) -> None:
    filled.write(lambda db: db.execute(text(change)))
    assert filled.read(store.verify).broken_at == broken_at


def test_an_entry_is_lost_with_the_transaction_that_wrote_it(database: Database) -> None:
    def fail(db: Connection) -> None:
        store.record(db, Entry("sign_in.succeeded", NOW))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        database.write(fail)
    assert database.read(store.verify).count == 0


def test_entries_are_answered_newest_first_and_by_account(filled: Database) -> None:
    rows = filled.read(lambda db: store.entries(db, limit=2))
    assert [row.account_id for row in rows] == ["account-2", "account-1"]
    mine = filled.read(lambda db: store.entries(db, limit=9, account_id="account-0"))
    assert [(row.account_id, row.at, row.detail["이름"]) for row in mine] == [("account-0", NOW, "값")]
