"""`authserver dev` with its apps, as real processes: all start, all end, whoever ends first and however."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from authserver.cli import example_apps
from authserver.cli.example_apps import EXAMPLES
from tests.databases import sqlite_url
from tests.processes import COMMAND, HOST, free_ports, running, status, until

ROOT = Path(__file__).parents[2]
PLACES = (0, 1, 2, 3)
IN_PROC = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="finds the apps in Linux's /proc")


@dataclass(frozen=True, slots=True)
class Dev:
    """A running `authserver dev`."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def answering(self) -> list[int]:
        return [place for place in PLACES if status(self.port + place, "/") is not None]

    def apps(self) -> dict[str, int]:
        """The process ids of the apps, by their folder."""
        family = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        named = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in family}
        return {Path(line.split("\0")[1]).parent.name: int(pid) for pid, line in named.items()}


@pytest.fixture
def dev(tmp_path: Path, sqlite_template: Path) -> Iterator[Dev]:
    port, log = free_ports(), tmp_path / "output.log"
    sqlite_url(sqlite_template, tmp_path)
    with running(("dev", "--port", str(port), "--data", str(tmp_path)), log, {}) as process:
        found = Dev(process, port, log)
        until(lambda: found.answering() == list(PLACES), within=30)
        yield found


@IN_PROC
def test_three_apps_run_quietly_are_told_no_secret_and_end_with_the_login_service(dev: Dev) -> None:
    said = dev.log.read_text()
    for app in EXAMPLES:
        assert re.search(rf"{app.name} +http://{HOST}:{dev.port + app.place}", said)
    assert dev.answering() == list(PLACES)
    for pid in dev.apps().values():
        assert "AUTHSERVER_" not in Path(f"/proc/{pid}/environ").read_text()
    dev.process.send_signal(signal.SIGTERM)
    assert dev.process.wait(10) == 0
    assert dev.answering() == []
    assert dev.log.read_text() == said  # no warning at the start, no line for a request, no farewell


def test_ctrl_c_in_a_terminal_is_no_death_of_an_app(dev: Dev) -> None:
    """The terminal sends it to the whole group, so the apps may end before we ask them to."""
    os.killpg(dev.process.pid, signal.SIGINT)
    assert dev.process.wait(10) == 0
    assert "ended by itself" not in dev.log.read_text()


@IN_PROC
def test_all_end_and_it_is_said_which_when_an_app_dies(dev: Dev) -> None:
    os.kill(dev.apps()["flask_site"], signal.SIGKILL)
    assert dev.process.wait(10) == 1
    assert dev.answering() == []
    assert (
        "The Flask site ended by itself (exit code -9). Everything else was stopped too."
        in dev.log.read_text()
    )


def test_without_apps_none_runs(tmp_path: Path, sqlite_template: Path) -> None:
    port, log = free_ports(), tmp_path / "output.log"
    sqlite_url(sqlite_template, tmp_path)
    words = ("dev", "--no-apps", "--port", str(port), "--data", str(tmp_path))
    with running(words, log, {}) as process:
        until(lambda: status(port) == 200, within=30)
        assert Dev(process, port, log).answering() == [0]
        assert "Flask" not in log.read_text()


@pytest.mark.parametrize("place", [0, 3])
def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path, place: int) -> None:
    port = free_ports()
    with socket.socket() as taken:
        taken.bind((HOST, port + place))
        taken.listen()
        words = (*COMMAND, "dev", "--port", str(port), "--data", str(tmp_path / "data"))
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"Port {port + place} is in use" in done.stderr
    assert not (tmp_path / "data").exists()


def test_examples_are_found_in_a_clone_and_in_a_wheel(tmp_path: Path) -> None:
    package = tmp_path / "authserver"
    package.mkdir()
    assert example_apps.folder(package) == tmp_path / "examples"
    (package / "_examples").mkdir()
    assert example_apps.folder(package) == package / "_examples"
    for app in EXAMPLES:
        assert not example_apps.missing(app, example_apps.folder(ROOT / "authserver"))


def test_an_app_that_cannot_start_says_why(tmp_path: Path) -> None:
    told = [example_apps.missing(app, ROOT / "examples", find=lambda _name: None) for app in EXAMPLES]
    assert told == ["", 'not started: pip install "authserver[flask]"', ""]
    assert all("without examples" in example_apps.missing(app, tmp_path) for app in EXAMPLES)
