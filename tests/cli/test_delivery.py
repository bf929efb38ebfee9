"""`authserver delivery`, and `authserver session trace`."""

from datetime import timedelta
from pathlib import Path

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.database import Database
from authserver.deliveries.sender import Sender
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.clocks import HandClock
from tests.deliveries.conftest import (
    Receiver,
    app,
    listening,
    logs_of_production,
    make_app,
    make_settings,
    receiver,
    send_all,
    sender,
    sessions_of,
    signed_in,
)
from tests.visitor import Visitor

__all__ = [
    "app",
    "listening",
    "logs_of_production",
    "make_app",
    "make_settings",
    "receiver",
    "sender",
    "signed_in",
]


@pytest.fixture
def sid(server: Server, signed_in: Visitor) -> str:
    """Alice's session, which the app knows."""
    return sessions_of(server)[0]


def test_end_by_the_operator_is_told_and_can_be_traced(
    cli: Cli, sid: str, sender: Sender, alice: Account
) -> None:
    cli.facts("session", "end", sid, "--wait", "0")
    [told] = cli.facts("session", "trace", sid)["deliveries"]
    assert (told["client_id"], told["sid"], told["state"], told["attempts"]) == (
        "orders-web",
        sid,
        "waiting",
        0,
    )
    send_all(sender)
    facts = cli.facts("session", "trace", sid)
    assert (facts["account_id"], facts["ended_at"]) == (alice.id, "2026-11-23T09:00:00Z")
    assert (facts["deliveries"][0]["state"], facts["deliveries"][0]["delivered_at"]) == (
        "delivered",
        "2026-11-23T09:00:00Z",
    )


def test_trace_says_who_has_not_heard_why_and_when_it_is_tried_again(
    cli: Cli, sid: str, sender: Sender, receiver: Receiver
) -> None:
    receiver.status = 503
    cli.facts("session", "end", sid, "--wait", "0")
    send_all(sender)
    printed = cli("session", "trace", sid).stdout
    for said in ("orders-web", "waiting", "http_503", "2026-11-23T09:00:01Z (in 1 s)"):
        assert said in printed


@on_sqlite
def test_sign_out_everywhere_is_in_the_trace_of_each_session(cli: Cli, sid: str, signed_in: Visitor) -> None:
    signed_in.post("/logout", json={"everywhere": True})
    [told] = cli.facts("session", "trace", sid)["deliveries"]
    assert (told["client_id"], told["sid"]) == ("orders-web", None)
    assert "every session" in cli("session", "trace", sid).stdout


@on_sqlite
def test_trace_of_a_living_or_an_unknown_session_says_so(cli: Cli, sid: str) -> None:
    assert cli("session", "trace", sid).stdout == f"The session {sid} has not ended.\n"
    assert "there is no session nobody" in cli.refusal("session", "trace", "nobody")


@on_sqlite
def test_session_that_no_app_knew_has_a_short_trace(
    cli: Cli, visitor: Visitor, alice: Account, server: Server
) -> None:
    visitor.sign_in("alice", "mandolin velocity crumpet oxide")
    [sid] = sessions_of(server)
    visitor.post("/logout", json={})
    assert "No app had to be told." in cli("session", "trace", sid).stdout


def test_what_was_given_up_is_tried_again_when_the_operator_says_so(
    cli: Cli, sid: str, sender: Sender, receiver: Receiver, clock: HandClock, server: Server
) -> None:
    receiver.status = 404
    cli.facts("session", "end", sid, "--wait", "0")
    clock.advance(timedelta(days=2))
    server.follow()
    send_all(sender)
    [row] = cli.facts("delivery", "list", "--undelivered")["deliveries"]
    assert (row["state"], row["last_error"], row["next_attempt_at"]) == ("given up", "http_404", None)
    receiver.status = 200
    assert cli.facts("delivery", "retry", row["id"])["again"] == 1
    assert send_all(sender) == 1
    assert cli.facts("delivery", "list", "--undelivered")["deliveries"] == []
    assert cli.facts("delivery", "list", "--client", "orders-web")["deliveries"][0]["state"] == "delivered"
    assert "delivery.retried" in cli("audit", "list").stdout


@on_sqlite
def test_retry_of_what_was_heard_changes_nothing(
    cli: Cli, sid: str, sender: Sender, database: Database, tmp_path: Path
) -> None:
    cli.facts("session", "end", sid, "--wait", "0")
    send_all(sender)
    [row] = cli.facts("delivery", "list")["deliveries"]
    before = everything(database, tmp_path)
    assert "that was not heard" in cli.refusal("delivery", "retry", row["id"])
    assert cli("delivery", "retry", "--all").stdout == "Everybody has heard.\n"
    assert everything(database, tmp_path) == before


@on_sqlite
def test_dry_run_of_a_retry_changes_nothing(
    cli: Cli, sid: str, sender: Sender, receiver: Receiver, database: Database, tmp_path: Path
) -> None:
    receiver.status = 500
    cli.facts("session", "end", sid, "--wait", "0")
    send_all(sender)
    before = everything(database, tmp_path)
    assert cli.facts("delivery", "retry", "--client", "orders-web", "--dry-run")["again"] == 1
    assert everything(database, tmp_path) == before


@on_sqlite
def test_retry_wants_to_know_which(cli: Cli, sid: str) -> None:
    assert "say which" in cli.refusal("delivery", "retry", code=2)
    assert "say which" in cli.refusal("delivery", "retry", "--all", "--client", "x", code=2)


@on_sqlite
def test_empty_ledger_is_said_in_words(cli: Cli, server: Server) -> None:
    assert cli("delivery", "list").stdout == "Nobody had to be told of anything.\n"
