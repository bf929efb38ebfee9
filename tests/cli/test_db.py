"""`authserver db`, and what every other verb says of a database that is not ready."""

from pathlib import Path

from authserver import schema
from authserver.database import Database
from tests.cli.conftest import Cli, everything, on_sqlite


def test_migrated_database_is_up_to_date(cli: Cli) -> None:
    assert cli.facts("db", "check")["up_to_date"] is True
    assert cli.facts("db", "current")["current"] == cli.facts("db", "check")["wanted"]
    assert cli.facts("db", "upgrade")["changed"] is False


def test_database_without_tables_is_named_by_every_verb_and_mended_by_upgrade(
    cli: Cli, database: Database
) -> None:
    schema.downgrade(database, "base")
    assert cli.facts("db", "check", code=1)["up_to_date"] is False
    assert cli.facts("db", "current")["current"] is None
    for words in (("keys", "list"), ("account", "list"), ("account", "create", "bob"), ("session", "list")):
        assert cli.refusal(*words) == "the database has no tables yet: run `authserver db upgrade`"
    assert cli.facts("db", "upgrade")["changed"] is True
    assert cli("account", "create", "bob").exit_code == 0


def test_upgrade_leaves_an_audit_entry(cli: Cli, database: Database) -> None:
    schema.downgrade(database, "base")
    wanted = cli.facts("db", "upgrade")["current"]
    [entry] = cli.facts("audit", "list")["entries"]
    assert (entry["event"], entry["actor"]) == ("database.upgraded", "operator")
    assert entry["detail"] == {"from": None, "to": wanted}


def test_dry_run_upgrades_nothing(cli: Cli, database: Database) -> None:
    schema.downgrade(database, "base")
    assert cli.facts("db", "upgrade", "--dry-run")["changed"] is True
    assert cli.facts("db", "current")["current"] is None


def test_database_of_a_newer_release_is_left_alone(cli: Cli, database: Database) -> None:
    database.write(lambda db: db.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    assert "does not know" in cli.refusal("db", "upgrade")
    assert cli("db", "check").exit_code == 1


@on_sqlite
def test_missing_database_is_not_made_by_looking(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    cli.env["AUTHSERVER_DATABASE_URL"] = None
    for words in (("keys", "list"), ("account", "create", "bob"), ("maintenance", "run", "--dry-run")):
        assert "check --data, or run `authserver db upgrade`" in cli.refusal(*words, "--data", str(folder))
    assert cli("db", "check", "--data", str(folder)).exit_code == 1
    assert cli("db", "upgrade", "--dry-run", "--data", str(folder)).exit_code == 0
    assert not folder.exists()


@on_sqlite
def test_new_database_cannot_be_read_by_others(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    cli.env["AUTHSERVER_DATABASE_URL"] = None
    assert cli.facts("db", "upgrade", "--data", str(folder))["changed"] is True
    assert (folder / "authserver.db").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


@on_sqlite
def test_file_that_is_no_database_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "authserver.db").write_bytes(b"not a database, not at all" * 100)
    assert "no SQLite database" in cli.refusal("account", "list")


@on_sqlite
def test_database_that_does_not_answer_is_named(cli: Cli) -> None:
    cli.env["AUTHSERVER_DATABASE_URL"] = "postgresql+psycopg://somebody:hunter2@127.0.0.1:1/nothing"
    assert "nothing listens at 127.0.0.1:1" in cli.refusal("account", "list")
    assert "hunter2" not in "".join(cli.printed)


@on_sqlite
def test_dry_run_leaves_every_byte_of_the_database(cli: Cli, tmp_path: Path) -> None:
    cli("account", "create", "alice")
    before = (tmp_path / "authserver.db").read_bytes()
    for words in (
        ("account", "create", "bob"),
        ("account", "disable", "alice"),
        ("revocation", "add", "jti", "a"),
    ):
        assert cli(*words, "--dry-run").exit_code == 0
    assert (tmp_path / "authserver.db").read_bytes() == before


@on_sqlite
def test_command_waits_for_nobody_and_says_what_to_do_when_the_lock_is_held(
    cli: Cli, database: Database, tmp_path: Path
) -> None:
    before = everything(database, tmp_path)
    with database.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        assert "try again in a moment" in cli("account", "create", "bob").stderr
        other.exec_driver_sql("ROLLBACK")
    assert everything(database, tmp_path) == before
