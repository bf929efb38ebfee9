"""`authserver audit`."""

from sqlalchemy import update

from authserver.accounts.store import Account
from authserver.audit.models import audit_entry
from authserver.database import Database
from tests.cli.conftest import Cli, on_sqlite
from tests.conftest import PASSWORD
from tests.visitor import Visitor


def test_entries_are_listed_newest_first_with_the_accounts_name(
    cli: Cli, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in("alice", "wrong")
    visitor.sign_in("alice", PASSWORD)
    newest, older = cli.facts("audit", "list", "--account", "alice")["entries"]
    assert (newest["event"], newest["actor"], newest["account"]) == ("sign_in.succeeded", "account", "alice")
    assert (older["event"], older["address"]) == ("sign_in.failed", "203.0.113.7")
    assert newest["sequence"] == older["sequence"] + 1


@on_sqlite
def test_entries_can_be_chosen_by_event_and_number(cli: Cli) -> None:
    cli("account", "create", "bob")
    cli("account", "disable", "bob")
    assert len(cli.facts("audit", "list", "--event", "account.created")["entries"]) == 1
    assert len(cli.facts("audit", "list", "--limit", "1")["entries"]) == 1
    assert "There are no such entries." in cli("audit", "list", "--event", "nothing").stdout


@on_sqlite
def test_entries_of_nobody_are_not_found(cli: Cli) -> None:
    assert "there is no account nobody" in cli.refusal("audit", "list", "--account", "nobody")


@on_sqlite
def test_detail_of_an_entry_is_printed(cli: Cli) -> None:
    cli("account", "create", "bob", "--role", "staff")
    assert '{"username": "bob", "roles": ["staff"]}' in cli("audit", "list").stdout


def test_whole_log_is_whole(cli: Cli) -> None:
    cli("account", "create", "bob")
    facts = cli.facts("audit", "verify")
    assert (facts["whole"], facts["count"], facts["broken_at"]) == (True, 1, None)
    assert facts["head"] in cli("audit", "verify").stdout


def test_changed_entry_breaks_the_chain(cli: Cli, database: Database) -> None:
    for name in ("bob", "carol"):
        cli("account", "create", name)
    database.write(
        lambda db: db.execute(update(audit_entry).where(audit_entry.c.sequence == 1).values(actor="server"))
    )
    assert cli.facts("audit", "verify", code=1)["broken_at"] == 1
    assert cli("audit", "verify").stdout.startswith("BROKEN at sequence 1")
