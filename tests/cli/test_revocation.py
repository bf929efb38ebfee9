"""`authserver revocation`."""

from pathlib import Path
from typing import Any

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.database import Database
from authserver.subjects import store as subjects
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.visitor import Visitor


def newest(cli: Cli) -> Any:
    return cli.facts("revocation", "list")["revocations"][-1]


def test_entry_is_on_the_list_until_the_last_token_has_expired(cli: Cli) -> None:
    added = cli.facts("revocation", "add", "jti", "token-1")["revocation"]
    assert newest(cli) == {**added, "cause": "revocation.added by operator"}
    assert (added["kind"], added["value"], added["before"]) == ("jti", "token-1", None)
    assert added["expires_at"] == "2026-11-23T10:01:00Z"  # access_token_lifetime + clock_skew


@on_sqlite
def test_cut_off_is_the_next_whole_second(cli: Cli, clock: HandClock) -> None:
    clock.advance(0.25)
    for words in (("client_id", "app"), ("client_id", "app", "--before", "now"), ("sub", "somebody")):
        added = cli.facts("revocation", "add", *words, "--unknown")["revocation"]
        assert added["before"] == "2026-11-23T09:00:01Z"


@on_sqlite
def test_cut_off_may_be_a_moment_in_the_past(cli: Cli) -> None:
    words = ("revocation", "add", "client_id", "app", "--before", "2026-11-23T17:30:00+09:00")
    assert cli.facts(*words)["revocation"]["before"] == "2026-11-23T08:30:00Z"


@on_sqlite
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("client_id", "app", "--before", "2026-11-24T00:00:00Z"), "lies in the future"),
        (("client_id", "app", "--before", "2026-11-23T00:00:00"), "needs a time zone"),
        (("client_id", "app", "--before", "yesterday"), "--before is a moment such as"),
        (("jti", "token-1", "--before", "now"), "--before is for client_id and sub"),
        (("jti", ""), "a value has 1 to 255"),
        (("jti", "x" * 256), "a value has 1 to 255"),
        (("jti", "\x1b[2J"), "a value has 1 to 255"),
    ],
)
def test_wrong_usage_is_refused(cli: Cli, words: tuple[str, ...], reason: str) -> None:
    assert reason in cli.refusal("revocation", "add", *words, code=2)


@on_sqlite
def test_unknown_kind_is_wrong_usage(cli: Cli) -> None:
    assert cli("revocation", "add", "colour", "blue").exit_code == 2


def test_revoked_subject_is_given_no_token_in_the_same_second(
    cli: Cli, alice: Account, visitor: Visitor, server: Server
) -> None:
    visitor.sign_in("alice", PASSWORD)
    cli("revocation", "add", "sub", alice.id)
    shown = cli.facts("account", "show", "alice")["account"]
    assert shown["tokens_not_before"] == newest(cli)["before"] == "2026-11-23T09:00:01Z"
    assert shown["sessions"] == 1


def test_revoked_session_ends(cli: Cli, alice: Account, visitor: Visitor) -> None:
    visitor.sign_in("alice", PASSWORD)
    sid = cli.facts("session", "list")["sessions"][0]["sid"]
    cli("revocation", "add", "sid", sid)
    assert cli.facts("revocation", "list")["total"] == 1
    assert visitor.post("/session/refresh", json={}).status_code == 401


@on_sqlite
def test_key_of_this_server_is_sent_to_the_command_that_does_it_all(cli: Cli) -> None:
    kid = cli.facts("keys", "rotate")["active"]
    assert f"keys revoke {kid} --compromised" in cli.refusal("revocation", "add", "kid", kid)


@on_sqlite
def test_foreign_key_is_listed_for_a_year(cli: Cli) -> None:
    added = cli.facts("revocation", "add", "kid", "somebody-elses", "--unknown")["revocation"]
    assert added["expires_at"] == "2027-11-23T09:00:00Z"


@on_sqlite
def test_list_shows_the_newest_and_says_how_many_there_are(cli: Cli) -> None:
    for number in range(3):
        cli("revocation", "add", "jti", f"token-{number}")
    facts = cli.facts("revocation", "list", "--limit", "2")
    assert [entry["value"] for entry in facts["revocations"]] == ["token-1", "token-2"]
    assert (facts["total"], facts["sequence"]) == (3, 3)
    assert "These are the newest 2" in cli("revocation", "list", "--limit", "2").stdout


@on_sqlite
def test_expired_entry_is_not_listed(cli: Cli, clock: HandClock) -> None:
    cli("revocation", "add", "jti", "token-1")
    clock.advance(3_661)
    assert cli.facts("revocation", "list")["revocations"] == []


def test_each_kind_leaves_an_audit_entry_of_the_operator(cli: Cli, alice: Account) -> None:
    for kind, value in {"jti": "a", "sid": "b", "sub": alice.id, "client_id": "c", "kid": "d"}.items():
        cli("revocation", "add", kind, value, "--unknown")
        [entry] = cli.facts("audit", "list", "--limit", "1")["entries"]
        assert (entry["event"], entry["actor"]) == ("revocation.added", "operator")
        assert (entry["detail"]["kind"], entry["detail"]["value"]) == (kind, value)
        assert entry["account"] == ("alice" if kind == "sub" else None)


def test_dry_run_adds_nothing(cli: Cli, alice: Account, database: Database, tmp_path: Path) -> None:
    before = everything(database, tmp_path)
    for kind, value in {"jti": "a", "sid": "b", "sub": alice.id, "client_id": "c", "kid": "d"}.items():
        assert (
            cli.facts("revocation", "add", kind, value, "--unknown", "--dry-run")["revocation"]["value"]
            == value
        )
    assert everything(database, tmp_path) == before


def test_name_of_an_account_is_not_taken_for_its_id(cli: Cli, alice: Account) -> None:
    said = cli.refusal("revocation", "add", "sub", "Alice")
    assert said.startswith(f"no account has the id Alice. The account named alice is {alice.id}: ")
    assert "`authserver account sign-out alice`" in said
    assert cli.facts("revocation", "list")["total"] == 0


@on_sqlite
@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("sub", "nobody", "no account has the id nobody: `authserver account list`"),
        ("sub", "no name", "no account has the id no name: "),
        ("sid", "gone", "no session has the id gone: `authserver session list`"),
        ("kid", "lost", "no key has the id lost: `authserver keys list --all`"),
    ],
)
def test_id_that_nobody_has_is_listed_only_on_purpose(cli: Cli, kind: str, value: str, said: str) -> None:
    for more in ((), ("--dry-run",)):
        words = cli.refusal("revocation", "add", kind, value, *more)
        assert words.startswith(said)
        assert words.endswith("To list it all the same: --unknown")
    assert cli.facts("revocation", "list")["total"] == 0
    assert cli.facts("revocation", "add", kind, value, "--unknown")["revocation"]["value"] == value


def test_session_that_has_ended_is_known_as_long_as_it_is_kept(
    cli: Cli, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in("alice", PASSWORD)
    sid = cli.facts("session", "list")["sessions"][0]["sid"]
    visitor.post("/logout", json={})
    assert cli("revocation", "add", "sid", sid).exit_code == 0


@on_sqlite
def test_list_names_the_cause_of_each_entry(cli: Cli, alice: Account, visitor: Visitor) -> None:
    kid = cli.facts("keys", "rotate")["active"]
    visitor.sign_in("alice", PASSWORD)
    visitor.post("/logout", json={})
    cli("account", "disable", "alice")
    cli("keys", "revoke", kid, "--compromised", "--yes")
    cli("revocation", "add", "jti", "token-1")
    causes = [one["cause"] for one in cli.facts("revocation", "list")["revocations"]]
    assert causes == [
        "session.signed_out by account",
        "account.disabled by operator",
        "key.compromised by operator",
        "revocation.added by operator",
    ]
    assert cli("revocation", "list").stdout.splitlines()[-1].endswith("revocation.added by operator")


@on_sqlite
@pytest.mark.parametrize("moment", [(), ("--before", "2026-11-23T08:30:00Z")])
def test_account_is_listed_under_every_name_that_apps_know_it_by(
    cli: Cli, server: Server, alice: Account, moment: tuple[str, ...]
) -> None:
    parts = server.capabilities
    name = parts.database.write(
        lambda db: subjects.subject(db, alice.id, "app.example", now=parts.clock.now())
    )
    assert cli.facts("revocation", "add", "sub", alice.id, *moment)["revocation"]["value"] == alice.id
    listed = cli.facts("revocation", "list")["revocations"]
    assert {entry["value"] for entry in listed} == {alice.id, name}
    assert len({entry["before"] for entry in listed}) == 1
