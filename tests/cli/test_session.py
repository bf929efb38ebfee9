"""`authserver session`."""

from datetime import timedelta
from pathlib import Path

import pytest

from authserver.accounts.store import Account
from authserver.database import Database
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.visitor import Visitor


@pytest.fixture
def sid(cli: Cli, alice: Account, visitor: Visitor) -> str:
    """Alice's session."""
    visitor.sign_in("alice", PASSWORD, headers={"User-Agent": "Browser/1"})
    return str(cli.facts("session", "list")["sessions"][0]["sid"])


def test_living_sessions_are_listed_with_their_accounts(cli: Cli, sid: str, alice: Account) -> None:
    [session] = cli.facts("session", "list", "--account", "ALICE")["sessions"]
    assert (session["sid"], session["account"], session["account_id"]) == (sid, "alice", alice.id)
    assert (session["user_agent"], session["started_at"]) == ("Browser/1", "2026-11-23T09:00:00Z")
    assert "2026-11-23T09:00:00Z (now)" in cli("session", "list").stdout


@on_sqlite
def test_sessions_of_another_account_are_left_out(cli: Cli, sid: str) -> None:
    cli("account", "create", "bob")
    assert cli.facts("session", "list", "--account", "bob")["sessions"] == []


@on_sqlite
def test_sessions_that_are_over_are_left_out(cli: Cli, sid: str, clock: HandClock) -> None:
    clock.advance(timedelta(days=8))
    assert cli.facts("session", "list")["sessions"] == []
    assert cli("session", "list").stdout == "Nobody is signed in.\n"


@on_sqlite
def test_sessions_of_nobody_are_not_found(cli: Cli) -> None:
    assert "there is no account nobody" in cli.refusal("session", "list", "--account", "nobody")


def test_ended_session_is_over_and_on_the_revocation_list(cli: Cli, sid: str, visitor: Visitor) -> None:
    assert cli.facts("session", "end", sid)["ended"] == sid
    assert visitor.post("/session/refresh", json={}).status_code == 401
    [entry] = cli.facts("revocation", "list")["revocations"]
    assert (entry["kind"], entry["value"]) == ("sid", sid)
    [noted] = cli.facts("audit", "list", "--event", "session.ended")["entries"]
    assert (noted["actor"], noted["session_id"], noted["account"]) == ("operator", sid, "alice")


@on_sqlite
def test_session_ends_once(cli: Cli, sid: str) -> None:
    cli("session", "end", sid)
    assert f"there is no session {sid} that has not ended" in cli.refusal("session", "end", sid)


def test_dry_run_ends_nothing(cli: Cli, sid: str, database: Database, tmp_path: Path) -> None:
    before = everything(database, tmp_path)
    assert cli.facts("session", "end", sid, "--dry-run") == {"ended": sid, "dry_run": True}
    assert everything(database, tmp_path) == before


@on_sqlite
def test_user_agent_cannot_command_the_operators_terminal(cli: Cli, alice: Account, visitor: Visitor) -> None:
    visitor.sign_in(
        "alice", PASSWORD, headers={"User-Agent": "\x1b[2J\x9b31m[bold]evil[/bold] \u202e".encode()}
    )
    printed = cli("session", "list").stdout
    assert "\x1b" not in printed
    assert "\x9b" not in printed
    assert "\u202e" not in printed
    assert "[bold]evil[/bold]" in printed
