"""`authserver client invite`."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from authserver.clients.invited import invitations
from authserver.clients.invited.store import Invitation
from authserver.clients.metadata import DEFAULT_SCOPE
from authserver.database import Database
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.clocks import HandClock


def found(database: Database, clock: HandClock, token: str) -> Invitation | None:
    def step(db: Connection) -> Invitation | None:
        return invitations.find(db, token, clock.now())

    return database.read(step)


def test_invitation_is_good_for_one_client_and_a_week(cli: Cli, database: Database, clock: HandClock) -> None:
    facts = cli.facts("client", "invite")
    assert facts["registration_endpoint"] == "https://login.example.com/oauth2/register"
    made = found(database, clock, facts["initial_access_token"])
    assert made is not None
    assert (made.id, made.uses_left, made.scope) == (facts["invitation"], 1, DEFAULT_SCOPE)
    assert made.expires_at - made.created_at == timedelta(days=7)


def test_uses_time_and_scopes_can_be_chosen(cli: Cli, database: Database, clock: HandClock) -> None:
    facts = cli.facts("client", "invite", "--uses", "20", "--expires", "1d", "--scope", "openid orders:read")
    made = found(database, clock, facts["initial_access_token"])
    assert made is not None
    assert (made.uses_left, made.scope) == (20, "openid orders:read")
    assert made.expires_at - made.created_at == timedelta(days=1)


@on_sqlite
def test_person_is_told_the_token_and_that_it_is_for_this_once(cli: Cli, database: Database) -> None:
    told = cli("client", "invite", "--uses", "2").stdout
    assert "may register 2 clients, until 2026-11-30T09:00:00Z (in 7 d)." in told
    assert "not shown again" in told
    [token] = [line.split()[1] for line in told.splitlines() if line.startswith("Token:")]
    assert token not in repr(everything(database, Path(str(cli.env["AUTHSERVER_DATA"]))))
    [entry] = cli.facts("audit", "list", "--limit", "1")["entries"]
    assert entry["event"] == "client.invited"
    assert token not in repr(entry)


@on_sqlite
@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--expires", "0", "--expires: an invitation that is over at once"),
        ("--expires", "soon", "'soon' is no length of time"),
        ("--scope", 'openid "', "--scope: write scopes"),
        ("--scope", "openid  email", "--scope: write scopes"),
    ],
)
def test_invitation_that_makes_no_sense_is_refused(cli: Cli, option: str, value: str, says: str) -> None:
    assert cli.refusal("client", "invite", option, value, code=2).startswith(says)


@on_sqlite
def test_dry_run_invites_nobody(cli: Cli, database: Database) -> None:
    facts = cli.facts("client", "invite", "--dry-run")
    assert "initial_access_token" not in facts
    assert not database.read(lambda db: db.exec_driver_sql("SELECT * FROM invitation").all())
