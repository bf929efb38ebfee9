"""The example apps with Authlib and openid-client: registered and started as their READMEs say, visited by a person."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import HOST, LoginService, authserver, free_ports, status, until
from tests.real_clients import installed
from tests.real_clients.browser import Browser
from tests.real_clients.rotation import rotated

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = re.compile(r"Client secret: (\S+)")
PORTS = {"authlib_web": 8004, "node_web": 8005}  # as the READMEs have them


@pytest.fixture(scope="module", params=list(PORTS))
def app(
    site: LoginService, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The running app's address."""
    name, address = request.param, f"http://{HOST}:{free_ports()}"
    folder = tmp_path_factory.mktemp(name)
    secret = registered(site, name, address)
    environment = {
        **os.environ,
        "LOGIN_SERVICE": site.origin,
        name.upper(): address,
        "CLIENT_SECRET": secret,
    }
    with running(program(name, folder), environment, folder / "app.log", address):
        yield address


def program(name: str, folder: Path) -> tuple[str, str]:
    """The command that starts it; node's is copied beside its packages, which do not belong into the sources."""
    if name == "authlib_web":
        return sys.executable, str(EXAMPLES / name / "app.py")
    for file in ("app.mjs", "package.json"):
        shutil.copy(EXAMPLES / name / file, folder)
    (folder / "node_modules").symlink_to(installed.node_modules())
    return installed.node(), str(folder / "app.mjs")


def registered(site: LoginService, name: str, address: str) -> str:
    """Run the README's first command, for the address that the app has here, and answer its secret."""
    command = commands(name)[0].replace(f"http://127.0.0.1:{PORTS[name]}", address)
    words = shlex.split(command.replace("--data .authserver", f"--data {site.data}"))
    secret = SECRET.search(authserver(*words[1:]).stdout)
    assert secret
    return secret[1]


def commands(name: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", (EXAMPLES / name / "README.md").read_text(), re.DOTALL)


@contextmanager
def running(command: tuple[str, str], environment: dict[str, str], log: Path, address: str) -> Iterator[None]:
    with (
        log.open("w") as output,
        subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            until(answering(process, address, log), within=20)
            yield
        finally:
            process.terminate()


def answering(process: subprocess.Popen[bytes], address: str, log: Path) -> Callable[[], bool]:
    port = int(address.rpartition(":")[2])

    def look() -> bool:
        assert process.poll() is None, log.read_text()
        return status(port, "/look/") is not None

    return look


def test_person_signs_in_and_out_and_is_signed_out_from_elsewhere(site: LoginService, app: str) -> None:
    with Browser(site.origin, app) as browser:
        browser.open(f"{app}/")
        assert "Sign in" in browser.page
        assert browser.open(f"{app}/login") == f"{app}/"
        assert "Welcome, " in browser.page
        rotated(site)
        browser.open(f"{app}/")
        assert "Welcome, " in browser.page
        assert browser.press().partition("?")[0] == f"{app}/"
        assert "Sign in" in browser.page
        browser.open(f"{app}/login")
        assert browser.pages.count("303 POST /login") == 2  # the login service had forgotten the sign-in too
        assert "Welcome, " in browser.page
        authserver("account", "sign-out", "demo", "--data", str(site.data))
        until(lambda: browser.open(f"{app}/") and "Sign in" in browser.page)


def test_app_speaks_korean_to_who_does(site: LoginService, app: str) -> None:
    with Browser(site.origin, app, language="ko-KR") as browser:
        browser.open(f"{app}/login")
        assert "환영합니다, " in browser.page


def test_answer_to_somebody_elses_sign_in_is_refused(site: LoginService, app: str) -> None:
    with Browser(site.origin, app) as attacker:
        attacker.open(f"{app}/login")
        answer = next(url for url in attacker.places if "/callback?" in url)
    with Browser(site.origin, app) as victim, pytest.raises(AssertionError, match="400 GET /callback"):
        victim.open(answer)
