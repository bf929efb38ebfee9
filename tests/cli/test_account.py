"""`authserver account`."""

from pathlib import Path

import pytest

from authserver.accounts.models import account
from authserver.app import Server
from authserver.database import Database
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.conftest import PASSWORD
from tests.visitor import Visitor

NEW_PASSWORD = "another long enough sentence"


@pytest.fixture
def alice(cli: Cli) -> None:
    cli(
        "account",
        "create",
        "Alice",
        "--role",
        "staff",
        "--role",
        "user",
        "--password-stdin",
        stdin=f"{PASSWORD}\n",
    )


def test_created_account_signs_in_with_the_password_from_standard_input(
    alice: None, server: Server, visitor: Visitor
) -> None:
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


def test_created_account_signs_in_with_the_password_that_was_made_up(
    cli: Cli, server: Server, visitor: Visitor
) -> None:
    password = cli.facts("account", "create", "bob")["password"]
    assert visitor.sign_in("bob", password).status_code == 200


@on_sqlite
def test_made_up_password_is_printed_for_a_person_too(cli: Cli) -> None:
    assert "Password: " in cli("account", "create", "bob").stdout


@on_sqlite
def test_every_made_up_password_is_another(cli: Cli) -> None:
    made = {cli.facts("account", "create", f"person{number}")["password"] for number in range(3)}
    assert len(made) == 3
    assert all(len(password) == 29 for password in made)


@on_sqlite
def test_made_up_password_is_as_long_as_the_rules_ask(cli: Cli) -> None:
    cli.env["AUTHSERVER_PASSWORD_MINIMUM_LENGTH"] = "64"
    assert len(cli.facts("account", "create", "bob")["password"]) >= 64


def test_created_account_is_shown_under_its_canonical_name(alice: None, cli: Cli) -> None:
    account = cli.facts("account", "show", "ALICE")["account"]
    assert account["username"] == "alice"
    assert account["display_name"] == "Alice"
    assert account["roles"] == ["staff", "user"]
    assert account["created_at"] == "2026-11-23T09:00:00Z"
    assert account["sessions"] == 0
    assert "password_hash" not in account


@on_sqlite
def test_korean_display_name_is_shown_as_it_was_typed(cli: Cli) -> None:
    cli("account", "create", "hong", "--display-name", "홍길동")
    assert "홍길동" in cli("account", "list").stdout


def test_second_account_of_a_name_is_refused(alice: None, cli: Cli) -> None:
    assert cli.refusal("account", "create", "ALICE").startswith("there is an account alice already")


@on_sqlite
@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "Enter a user name."), ("a b", "A user name has no spaces."), ("a\x1b[2J", "letters, digits")],
)
def test_name_that_nobody_can_have_is_refused(cli: Cli, name: str, reason: str) -> None:
    assert reason in cli.refusal("account", "create", name)


@on_sqlite
@pytest.mark.parametrize("role", ["", "two words", "a,b", "x" * 65, "a\x1b[2J"])
def test_role_that_would_be_misread_is_refused(cli: Cli, role: str) -> None:
    assert "a role has" in cli.refusal("account", "create", "bob", "--role", role, code=2)


@on_sqlite
def test_display_name_that_no_column_holds_is_refused(cli: Cli) -> None:
    assert "a display name has" in cli.refusal(
        "account", "create", "bob", "--display-name", "x" * 256, code=2
    )


@on_sqlite
@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", "at least 15 characters"),
        ("", "Enter a password."),
        ("passwordpassword", "too easy to guess"),
        ("wilhelmina-2026!", "mostly the user name"),
        ("authserver-2026!", "mostly the name of this service"),
        ("x" * 5_000, "at most 4096 bytes"),
        ("two lines of\na password", "invisible character"),
    ],
)
def test_password_against_the_rules_is_refused(cli: Cli, password: str, reason: str) -> None:
    assert reason in cli.refusal("account", "create", "wilhelmina", "--password-stdin", stdin=password)
    assert cli("account", "show", "wilhelmina").exit_code == 1


@on_sqlite
def test_password_that_is_no_text_is_refused(cli: Cli) -> None:
    assert "UTF-8" in cli.refusal("account", "create", "bob", "--password-stdin", stdin=b"\xff" * 20)


@on_sqlite
def test_person_at_a_terminal_types_the_password_twice(cli: Cli, server: Server, visitor: Visitor) -> None:
    cli.person = True
    cli("account", "create", "bob", "--password-stdin", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert visitor.sign_in("bob", PASSWORD).status_code == 200


@on_sqlite
def test_accounts_are_listed_in_pages(cli: Cli) -> None:
    for name in ("carol", "alice", "bob"):
        cli("account", "create", name)
    first = cli.facts("account", "list", "--limit", "2")
    assert [account["username"] for account in first["accounts"]] == ["alice", "bob"]
    assert first["more"] is True
    rest = cli.facts("account", "list", "--limit", "2", "--after", "bob")
    assert [account["username"] for account in rest["accounts"]] == ["carol"]
    assert rest["more"] is False
    assert "--after bob" in cli("account", "list", "--limit", "2").stdout


def test_disabled_account_is_signed_out_and_cannot_sign_in(
    alice: None, cli: Cli, server: Server, visitor: Visitor
) -> None:
    visitor.sign_in("alice", PASSWORD)
    assert cli.facts("account", "disable", "alice")["account"]["disabled_at"] == "2026-11-23T09:00:00Z"
    assert visitor.post("/session/refresh", json={}).status_code == 401
    assert visitor.sign_in("alice", PASSWORD).status_code == 401
    assert [entry["kind"] for entry in cli.facts("revocation", "list")["revocations"]] == ["sub"]


def test_enabled_account_signs_in_again(alice: None, cli: Cli, server: Server, visitor: Visitor) -> None:
    cli("account", "disable", "alice")
    server.capabilities.clock.advance(2)  # type: ignore[attr-defined]
    assert cli.facts("account", "enable", "alice")["account"]["disabled_at"] is None
    assert visitor.sign_in("alice", PASSWORD).status_code == 200


def test_changed_password_ends_sessions_and_replaces_the_old_one(
    alice: None, cli: Cli, server: Server, visitor: Visitor
) -> None:
    visitor.sign_in("alice", PASSWORD)
    facts = cli.facts("account", "set-password", "alice", "--password-stdin", stdin=NEW_PASSWORD)
    assert "password" not in facts
    assert visitor.post("/session/refresh", json={}).status_code == 401
    server.capabilities.clock.advance(2)  # type: ignore[attr-defined]
    assert visitor.sign_in("alice", PASSWORD).status_code == 401
    assert visitor.sign_in("alice", NEW_PASSWORD).status_code == 200


def test_removed_role_ends_the_tokens_that_carry_it(alice: None, cli: Cli) -> None:
    assert cli.facts("account", "set-roles", "alice", "user", "billing")["account"]["roles"] == [
        "billing",
        "user",
    ]
    [entry] = cli.facts("revocation", "list")["revocations"]
    assert entry["kind"] == "sub"
    assert entry["before"] == "2026-11-23T09:00:01Z"


@on_sqlite
def test_added_role_ends_nothing(alice: None, cli: Cli) -> None:
    cli("account", "set-roles", "alice", "user", "staff", "billing")
    assert cli.facts("revocation", "list")["revocations"] == []


@on_sqlite
def test_all_roles_can_be_taken(alice: None, cli: Cli) -> None:
    assert cli.facts("account", "set-roles", "alice", "--none")["account"]["roles"] == []


@on_sqlite
def test_no_role_is_taken_by_leaving_them_out(alice: None, cli: Cli) -> None:
    for words in ((), ("staff", "--none")):
        assert "or --none to take all away" in cli.refusal("account", "set-roles", "alice", *words, code=2)
    assert cli.facts("account", "show", "alice")["account"]["roles"] == ["staff", "user"]


def test_signing_out_ends_every_session_and_leaves_the_account(
    alice: None, cli: Cli, server: Server, visitor: Visitor
) -> None:
    visitor.sign_in("alice", PASSWORD)
    assert "1 session and every token" in cli("account", "sign-out", "alice").stdout
    assert visitor.post("/session/refresh", json={}).status_code == 401


@on_sqlite
def test_change_that_is_none_says_so_and_writes_nothing(
    alice: None, cli: Cli, database: Database, tmp_path: Path
) -> None:
    cli("account", "create", "bob")
    cli("account", "disable", "bob")
    before = everything(database, tmp_path)
    for words in (("disable", "bob"), ("enable", "alice"), ("set-roles", "alice", "staff", "user")):
        assert "nothing was changed" in cli("account", *words).stdout
    assert everything(database, tmp_path) == before


@on_sqlite
def test_account_that_does_not_exist_is_not_found(cli: Cli) -> None:
    for verb in ("show", "disable", "enable", "set-password", "set-roles", "sign-out"):
        more = ("staff",) if verb == "set-roles" else ()
        assert cli.refusal("account", verb, "nobody", *more).startswith("there is no account nobody")


def test_each_change_leaves_an_audit_entry_of_the_operator(alice: None, cli: Cli) -> None:
    for words, event in {
        ("create", "bob"): "account.created",
        ("disable", "bob"): "account.disabled",
        ("enable", "bob"): "account.enabled",
        ("set-password", "bob"): "account.password_changed",
        ("set-roles", "alice", "user"): "account.roles_changed",
        ("sign-out", "alice"): "account.signed_out",
    }.items():
        assert cli("account", *words).exit_code == 0
        [entry] = cli.facts("audit", "list", "--limit", "1")["entries"]
        assert (entry["event"], entry["actor"], entry["account"]) == (event, "operator", words[1])


def test_dry_run_changes_nothing_and_prints_no_password(
    alice: None, cli: Cli, database: Database, tmp_path: Path
) -> None:
    before = everything(database, tmp_path)
    for words in (
        ("create", "bob", "--role", "staff"),
        ("disable", "alice"),
        ("set-password", "alice"),
        ("set-roles", "alice", "user"),
        ("sign-out", "alice"),
    ):
        facts = cli.facts("account", *words, "--dry-run")
        assert facts["dry_run"] is True
        assert "password" not in facts
        assert cli("account", *words, "--dry-run").stdout.startswith("Dry run: nothing was changed.")
    assert everything(database, tmp_path) == before


@on_sqlite
def test_dry_run_is_refused_what_would_be_refused(alice: None, cli: Cli) -> None:
    assert "already" in cli.refusal("account", "create", "alice", "--dry-run")


@on_sqlite
def test_no_output_holds_a_password_or_its_hash(alice: None, cli: Cli, database: Database) -> None:
    cli("account", "list")
    cli.facts("account", "show", "alice")
    cli("account", "set-password", "alice", "--password-stdin", stdin=NEW_PASSWORD)
    cli("account", "create", "alice", "--password-stdin", stdin=PASSWORD)
    cli("account", "create", "bob", "--password-stdin", stdin="short secret")
    cli.facts("audit", "list")
    printed = "".join(cli.printed)
    [stored] = database.read(lambda db: list(db.execute(account.select())))
    assert stored.password_hash.startswith("$argon2id$")
    for secret in ("$argon2id$", stored.password_hash, PASSWORD, NEW_PASSWORD, "short secret"):
        assert secret not in printed
