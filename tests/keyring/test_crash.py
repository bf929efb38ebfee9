"""kill -9 between any two steps of a rotation: the next start heals it."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("every", [11])
def test_a_rotation_killed_at_any_step_leaves_one_active_key_after_the_next_start(
    database_url: str, tmp_path: Path, every: int
) -> None:
    command = [sys.executable, "-m", "tests.keyring.crash", database_url, str(tmp_path), str(every)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 10
