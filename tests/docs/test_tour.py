"""The README's tour, command by command, against a login service that really runs."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PASSWORD
from tests.docs.test_readme import block
from tests.processes import LoginService, login_service

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def steps() -> list[tuple[str, str]]:
    """Answer each command of the tour with what it prints."""
    return re.findall(r"^\$ (.+?)(?:\s+#.*)?\n([^$]*)", block("tour"), re.MULTILINE)


def here(text: str, service: LoginService) -> str:
    """The README's ports and folder are those of a first start; this one has its own."""
    named = {"127.0.0.1:8000": f"127.0.0.1:{service.port}", "127.0.0.1:8001": f"127.0.0.1:{service.port + 1}"}
    for written, real in {
        **named,
        ".authserver": str(service.data),
        "authserver keys": "$AUTHSERVER keys",
    }.items():
        text = text.replace(written, real)
    return text


def run(command: str, folder: Path) -> str:
    environment = os.environ | {"PASSWORD": PASSWORD, "AUTHSERVER": f"{sys.executable} -m authserver"}
    environment.pop("AUTHSERVER_DATA", None)
    settings = {name for name in environment if name.startswith("AUTHSERVER_")}
    clean = {name: value for name, value in environment.items() if name not in settings}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*?".join(re.escape(part) for part in expected.strip().split("…")), re.DOTALL)


def test_every_step_of_the_tour_prints_what_the_readme_says(tmp_path: Path, sqlite_template: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "here"
    data.mkdir()
    folder.mkdir()
    assert len(steps()) == 7
    with login_service(data, sqlite_template) as service:
        for command, expected in steps():
            deadline = time.monotonic() + 10
            while not pattern(expected).fullmatch(printed := run(here(command, service), folder).strip()):
                assert time.monotonic() < deadline, f"{command}\nprinted:  {printed}\nexpected: {expected}"
