"""Real processes for the tests: the login service as `authserver dev` runs it, on data and ports of its own.

Only what was started here is ended, by its process group, politely and then not. Every wait has an end.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, TypeVar

from authserver.accounts.hashing import Parameters
from authserver.capabilities import Capabilities, Outside, build
from authserver.keyring import store
from authserver.keyring.rotation import Change
from authserver.protocol import paths
from authserver.revocations.keys import compromise
from authserver.settings import PREFIX, load
from tests.clocks import HandClock
from tests.conftest import PASSWORD, ready_made
from tests.databases import sqlite_url

T = TypeVar("T")

HOST: Final = "127.0.0.1"
COMMAND: Final = (sys.executable, "-m", "authserver")
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
PAUSE: Final = 0.02
SINCE_THE_KEYS_WERE_PUBLISHED: Final = timedelta(
    minutes=50
)  # less than a token lives, so none is removed yet
QUICK_ROTATION: Final = {"jwks_max_age": "60", "clock_skew": "10"}


@dataclass(frozen=True, slots=True)
class LoginService:
    """A login service that runs in a process of its own."""

    data: Path
    port: int
    keyring: "Keyring"

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def orders_api(self) -> str:
        return f"http://{HOST}:{self.port + 1}"

    @property
    def flask_site(self) -> str:
        return f"http://{HOST}:{self.port + 2}"

    @property
    def page(self) -> str:
        return f"http://{HOST}:{self.port + 3}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The service's keys from outside: its clock is set back, so that a key may have been published long ago."""

    parts: Capabilities
    clock: HandClock

    def rotate(self) -> str:
        """Let the next key sign, and answer its `kid`: what an operator's command does in the same database."""
        timing = self.parts.rotation.timing
        self.clock.advance(timing.jwks_max_age + timing.clock_skew)
        assert self.clock.now() < datetime.now(UTC), "an hour has no room for so many rotations"
        return _active(self.parts.rotation.rotate("RS256"))

    def compromise(self, kid: str) -> str:
        """Distrust a key, and answer the `kid` of the one that signs in its place."""
        key = self.parts.database.read(lambda db: store.ring(db, "RS256")).find(kid)
        assert key is not None
        return _active(compromise(self.parts.rotation, key))


@contextmanager
def login_service(
    folder: Path, template: Path, *, apps: bool = True, **chosen: str
) -> Iterator[LoginService]:
    """Run `authserver dev` on keys that were published some time ago, so that a rotation need not wait.

    :param template: a migrated database to copy.
    :param apps: start the three example apps too, on the next ports.
    :param chosen: settings beside those of `authserver dev`.
    """
    port, log = free_ports(), folder / "output.log"
    sqlite_url(template, folder)
    keyring = _published(folder, chosen)
    command = ("dev", "--port", str(port), "--data", str(folder), *(() if apps else ("--no-apps",)))
    try:
        with running(command, log, {"demo_password": PASSWORD, **chosen}) as process:
            _wait_for(process, port, "/readyz", log)
            for place in (1, 2, 3) if apps else ():
                _wait_for(process, port + place, "/", log)
            yield LoginService(folder, port, keyring)
    finally:
        keyring.parts.database.close()


def authserver(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the real command line to its end."""
    return subprocess.run(
        (*COMMAND, *words),
        env=_environment({}),
        capture_output=True,
        text=True,
        check=True,
        timeout=START_SECONDS,
    )


@contextmanager
def running(words: tuple[str, ...], log: Path, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a command of `authserver` running, in a process group that ends with the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            (*COMMAND, *words),
            env=_environment(settings),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def until(seen: Callable[[], T], *, within: float = 10.0) -> T:
    """Look again and again until there is something to see, and answer it."""
    deadline = time.monotonic() + within
    while not (found := seen()):
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(PAUSE)
    return found


def free_ports() -> int:
    """Find a port that is free together with the three after it."""
    while True:
        with ExitStack() as held:
            port = _hold(held, 0)
            try:
                for place in (1, 2, 3):
                    _hold(held, port + place)
            except (OSError, OverflowError):
                continue
            return port


def _hold(held: ExitStack, port: int) -> int:
    found = held.enter_context(socket.socket())
    found.bind((HOST, port))
    return int(found.getsockname()[1])


def status(port: int, path: str = paths.JWKS) -> int | None:
    """Ask with one GET; None when nobody answers."""
    connection = HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _active(change: Change) -> str:
    assert change.after.active is not None
    return change.after.active.kid


def _published(folder: Path, chosen: dict[str, str]) -> Keyring:
    """Give the data folder its keys, as a server did that was started there once."""
    clock = HandClock(datetime.now(UTC) - SINCE_THE_KEYS_WERE_PUBLISHED)
    as_dev_has_it: dict[str, Any] = {"data": folder, "development": True, "allow_plaintext_keys": True}
    settings = load(**{**as_dev_has_it, **chosen})
    parts = build(settings, Outside(clock, ready_made(), Parameters(memory_kib=8, iterations=1, lanes=1)))
    parts.vault.check()
    parts.rotation.keep(settings.signing_algorithms)
    return Keyring(parts, clock)


def _wait_for(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    def ready() -> bool:
        assert process.poll() is None, log.read_text()
        answered = status(port, path)
        return answered is not None and answered < 500

    until(ready, within=START_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole group: `authserver dev` has the apps as its children."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            break
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """Ours, without the settings of whoever runs the tests."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return clean | {PREFIX + name.upper(): value for name, value in settings.items()}
