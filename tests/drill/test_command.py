"""`authserver keys drill`, for real: in its short form, by the command line, with every verifier that there is."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from authserver.cli.nouns import app
from tests.processes import until

DRILL = (sys.executable, "-m", "authserver", "keys", "drill")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drill")


@pytest.fixture(scope="module")
def ran(folder: Path) -> dict[str, Any]:
    """One run, with an environment that would lead elsewhere."""
    hostile = {
        "AUTHSERVER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "AUTHSERVER_CLOCK_SKEW": "no",
    }
    done = subprocess.run(
        (*DRILL, "--short", "--json", "--report", str(folder / "report")),
        env={**os.environ, **hostile, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr
    assert done.stderr == ""
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_short_drill_has_ten_thousand_verifications_and_no_failure(ran: dict[str, Any]) -> None:
    assert ran["verifications"] >= 10_000
    assert ran["failures"] == 0


def test_every_verifier_took_part_and_accepted_every_key(ran: dict[str, Any]) -> None:
    assert ran["not_installed"] == []
    titles = [verifier["title"] for verifier in ran["verifiers"]]
    assert len(titles) == 5
    for verifier in ran["verifiers"]:
        assert verifier["verifications"] > 500
        assert (
            len(verifier["first_accepted"]) == 4
        )  # the oldest, the first active, the promoted, the successor


def test_the_guard_refuses_the_compromised_key_within_its_contract(ran: dict[str, Any]) -> None:
    guard = ran["verifiers"][0]
    assert guard["title"] == "authserver guard"
    assert guard["refused_after"] is not None
    assert guard["refused_after"] <= ran["settings"]["contract"]


def test_keys_went_through_next_active_and_retired_and_one_was_compromised(ran: dict[str, Any]) -> None:
    states = [row["state"] for row in ran["keys"]]
    assert {"next", "active", "retired"} <= set(states)
    (given_up,) = [row["kid"] for row in ran["keys"] if row["state"] == "compromised"]
    assert given_up == ran["emergency"]["kid"]


def test_the_report_was_written_and_nothing_else_is_left(ran: dict[str, Any], folder: Path) -> None:
    assert [Path(file).name for file in ran["report"]] == ["report.json", "report.md", "timeline.svg"]
    assert (
        json.loads((folder / "report" / "report.json").read_text())["verifications"] == ran["verifications"]
    )
    assert [entry.name for entry in folder.iterdir()] == ["report"]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_ends_what_was_started_and_removes_the_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        (*DRILL, "--short"), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as drill:
        until(lambda: len(children(drill.pid)) >= 6, within=60)
        started = children(drill.pid)
        drill.send_signal(signal.SIGINT)
        assert drill.wait(30) != 0
    assert list(tmp_path.iterdir()) == []
    until(lambda: not [pid for pid in started if Path(f"/proc/{pid}").exists()], within=10)


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--short", "--seconds", "20"), "say one of the two"),
        (("--seconds", "5"), "--seconds"),
        (("--verifications", "0"), "--verifications"),
        (("--report", str(Path(__file__))), "is a file"),
    ],
)
def test_wrong_usage_is_refused_at_once(words: tuple[str, ...], complaint: str) -> None:
    done = CliRunner().invoke(app, ["keys", "drill", *words])
    assert done.exit_code == 2
    assert complaint in done.stderr


def test_a_dry_run_prints_the_timetable_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    plan = json.loads(CliRunner().invoke(app, ["keys", "drill", "--dry-run", "--json"]).stdout)
    assert (plan["promotions"], plan["verifications"], plan["dry_run"]) == (4, 100_000, True)
    assert [step["what"] for step in plan["steps"]].count("keys rotate") == 4
    assert list(tmp_path.iterdir()) == []
