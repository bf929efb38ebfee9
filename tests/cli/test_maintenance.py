"""`authserver maintenance run`."""

from datetime import timedelta
from pathlib import Path

from authserver.database import Database
from tests.cli.conftest import Cli, everything
from tests.clocks import HandClock


def test_round_makes_keys_and_deletes_what_has_expired(cli: Cli, clock: HandClock) -> None:
    cli("revocation", "add", "jti", "token-1")
    clock.advance(timedelta(hours=26))
    facts = cli.facts("maintenance", "run")
    assert len(facts["keys_changed"]) == 2
    assert facts["purged"]["revocations"] == 1
    said = cli("maintenance", "run").stdout
    assert said == "No key was due.\nRows deleted: none.\n"


def test_round_leaves_an_audit_entry_of_the_operator(cli: Cli) -> None:
    cli("maintenance", "run")
    [entry] = cli.facts("audit", "list", "--event", "maintenance.ran")["entries"]
    assert entry["actor"] == "operator"


def test_dry_run_counts_and_deletes_nothing(
    cli: Cli, clock: HandClock, database: Database, tmp_path: Path
) -> None:
    cli("revocation", "add", "jti", "token-1")
    clock.advance(timedelta(hours=26))
    before = everything(database, tmp_path)
    assert cli.facts("maintenance", "run", "--dry-run")["purged"]["revocations"] == 1
    assert "revocations: 1" in cli("maintenance", "run", "--dry-run").stdout
    assert everything(database, tmp_path) == before
