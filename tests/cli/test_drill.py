"""`authserver keys drill`: what it finds out before it starts, and what it says when it is ended. `tests/drill` runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_sqlite
from tests.processes import until

DRILL = (sys.executable, "-m", "authserver", "keys", "drill", "--short")


@on_sqlite
def test_report_that_cannot_be_written_is_refused_before_anything_starts(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "report"
    said = cli.refusal("keys", "drill", "--report", str(folder), code=2)
    assert said == f"--report: nothing can be written in {folder} (Not a directory)"


@on_sqlite
def test_dry_run_makes_no_folder_and_names_its_columns(cli: Cli, tmp_path: Path) -> None:
    result = cli("keys", "drill", "--dry-run", "--report", str(tmp_path / "report"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1].split() == ["AFTER", "WHAT", "BECAUSE"]
    assert not (tmp_path / "report").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_drill_that_is_ended_says_that_it_proves_nothing(tmp_path: Path, ending: signal.Signals) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        DRILL, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as drill:
        until(lambda: _server_runs(drill, tmp_path), within=60)
        drill.send_signal(ending)
        _, said = drill.communicate(timeout=30)
    assert drill.returncode == 1
    assert "was ended from outside and proves nothing" in said
    assert list(tmp_path.iterdir()) == []


def _server_runs(drill: "subprocess.Popen[str]", folder: Path) -> bool:
    """Not before: a folder that was just made is nobody's yet, and a server that runs has to be ended too."""
    assert drill.poll() is None, drill.stderr.read() if drill.stderr else ""
    return any(folder.glob("*/dev.lock"))
