"""`authserver dev` with its apps, as real processes: all start, all end, whoever ends first and however."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from authserver.cli import dev as dev_module
from authserver.cli import example_apps
from authserver.cli.dev import Demo, say
from authserver.cli.dev_folder import alone_in, configure
from authserver.cli.example_apps import EXAMPLES
from authserver.settings import PREFIX, load
from tests.databases import sqlite_url
from tests.processes import COMMAND, HOST, free_ports, running, status, until

ROOT = Path(__file__).parents[2]
PLACES = (0, 1, 2, 3)
WITHOUT_SETTINGS = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
MINE = "http://127.0.0.1:8080"
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
    words = ("dev", "--port", str(port), "--data", str(tmp_path), "--allow-origin", MINE)
    with running(words, log, {}) as process:
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


def test_a_sign_in_may_lead_back_to_an_app_of_ones_own(dev: Dev) -> None:
    for origin in (MINE, f"http://{HOST}:{dev.port + 2}", f"http://{HOST}:{dev.port + 3}"):
        with urlopen(f"http://{HOST}:{dev.port}/login?return_to={origin}/") as page:
            assert f'name="return_to" value="{origin}/"' in page.read().decode()


@pytest.mark.skipif(sys.platform == "win32", reason="the lock is one of POSIX")
def test_a_second_one_in_the_same_folder_is_refused_and_changes_nothing(dev: Dev) -> None:
    config = dev.log.parent / "authserver.toml"
    written = config.read_text()
    done = said("--port", str(free_ports()), "--data", str(dev.log.parent))
    assert done.returncode == 1
    assert f"Another `authserver dev` (port {dev.port}) uses {dev.log.parent}; stop it" in done.stderr
    assert config.read_text() == written
    assert dev.answering() == list(PLACES)
    dev.process.kill()  # whoever could not tidy up
    dev.process.wait()
    with alone_in(dev.log.parent, dev.port):
        pass


def said(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        (*COMMAND, "dev", *words),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=WITHOUT_SETTINGS,
    )


def test_origins_are_added_to_those_of_the_apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's too: alone they would lock the page out, and the Flask site."""
    monkeypatch.setenv("AUTHSERVER_ALLOWED_ORIGINS", '["http://127.0.0.1:9999"]')
    demo = Demo(tmp_path, 8000, (MINE,))
    apps = ("http://127.0.0.1:8002", "http://127.0.0.1:8003")
    settings = configure(tmp_path, demo.issuer, demo.allowed_origins)
    assert settings.allowed_origins == (*apps, MINE, "http://127.0.0.1:9999")
    monkeypatch.delenv("AUTHSERVER_ALLOWED_ORIGINS")
    assert load(data=tmp_path).allowed_origins == (*apps, MINE)  # what the other commands read


@pytest.mark.parametrize(
    "origin", ["127.0.0.1:8080", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/x", "*"]
)
def test_an_origin_that_is_none_is_refused_before_anything_is_written(tmp_path: Path, origin: str) -> None:
    done = said("--allow-origin", origin, "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "--allow-origin" in done.stderr
    assert "http://127.0.0.1:8080" in done.stderr
    assert not (tmp_path / "data").exists()


def test_what_people_look_at_is_named_before_the_api(capsys: pytest.CaptureFixture[str]) -> None:
    say(Demo(Path("data"), 8000), "a password", apps=True)
    names = re.findall(r"^    (page|Flask site|orders API) ", capsys.readouterr().out, re.MULTILINE)
    assert names == ["page", "Flask site", "orders API"]


def test_it_is_said_which_app_is_missing_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dev_module, "PACKAGE", tmp_path / "authserver")
    say(Demo(Path("data"), 8000), "a password", apps=True)
    told = capsys.readouterr().out
    assert "No app was started." in told
    assert told.count("not started: this installation came without examples") == len(EXAMPLES)


def test_examples_are_found_in_a_clone_and_in_a_wheel(tmp_path: Path) -> None:
    package = tmp_path / "authserver"
    package.mkdir()
    assert example_apps.folder(package) == tmp_path / "examples"
    (package / "_examples").mkdir()
    assert example_apps.folder(package) == package / "_examples"
    for app in EXAMPLES:
        assert not example_apps.missing(app, example_apps.folder(ROOT / "authserver"))


def test_an_app_that_cannot_start_says_why(tmp_path: Path) -> None:
    told = {
        app.name: example_apps.missing(app, ROOT / "examples", find=lambda _name: None) for app in EXAMPLES
    }
    assert told == {
        "page": "",
        "Flask site": 'not started: pip install "authserver[flask]"',
        "orders API": "",
    }
    assert all("without examples" in example_apps.missing(app, tmp_path) for app in EXAMPLES)
