"""The login service under fault: a process of `authserver dev` that is killed and started again on the same data."""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from subprocess import Popen
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from authserver.accounts.hashing import Parameters
from authserver.capabilities import Outside, build
from authserver.cli.demo_account import DEMO
from authserver.drill.loopback import post
from authserver.protocol import paths
from authserver.protocol.cookies import SESSION, TOKEN_HOST_ONLY
from authserver.resource.jws import parse_compact
from authserver.settings import load
from tests.clocks import HandClock
from tests.conftest import PASSWORD, ready_made
from tests.processes import HOST, SINCE_THE_KEYS_WERE_PUBLISHED, START_SECONDS, running, status, until

OK: Final = 200

Acks = dict[str, float]


class Server:
    """One server process, for as long as the block lasts, however often it is killed and started in between."""

    def __init__(self, folder: Path, port: int, **chosen: str) -> None:
        self.port = port
        self._folder = folder
        self._log = folder / f"{port}.log"
        self._words = ("dev", "--no-apps", "--port", str(port), "--data", str(folder))
        self._settings = {"demo_password": PASSWORD, **chosen}
        self._ends = ExitStack()
        self._process: Popen[bytes] | None = None

    def command(self, *words: str) -> float:
        """Run a command of the command line on the same data; answer when it had ended with exit code 0."""
        with running((*words, "--data", str(self._folder)), self._log, self._settings) as process:
            assert process.wait(START_SECONDS) == 0, self._log.read_text()
            return monotonic()

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._ends.close()

    def start(self) -> None:
        self._process = self._ends.enter_context(running(self._words, self._log, self._settings))

    def revive(self) -> None:
        """Start it, if it is dead."""
        if self._process is not None and self._process.poll() is not None:
            self.start()
            self.wait()

    def wait(self) -> float:
        """Until it can say what is on the list; answer when that was seen."""
        until(self._answers, within=START_SECONDS)
        return monotonic()

    def kill(self) -> float:
        """kill -9; answer when it was over."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        return monotonic()

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        return status(self.port, paths.REVOCATIONS) == OK


class Person:
    """Somebody who signed in over HTTP, with a session and an access token."""

    def __init__(self, port: int, username: str = DEMO) -> None:
        answer = post(port, "/login", {"username": username, "password": PASSWORD}, {})
        assert answer.status == OK
        self.username = username
        self.session = answer.cookies[SESSION]
        self.token = answer.cookies[TOKEN_HOST_ONLY]

    @property
    def sid(self) -> str:
        return str(claims_of(self.token)["sid"])

    def sign_out(self, port: int) -> float | None:
        """Answer when it was acknowledged; None when it was not."""
        answer = post(port, "/logout", {}, {SESSION: self.session})
        return monotonic() if answer.status == OK else None

    def renewed(self, port: int) -> str:
        """Another access token for the same session."""
        answer = post(port, "/session/refresh", {}, {SESSION: self.session})
        assert answer.status == OK
        return answer.cookies[TOKEN_HOST_ONLY]


def people(port: int, count: int) -> dict[str, Person]:
    """So many, under names for the record."""
    return {f"person{number:02}": Person(port) for number in range(count)}


def sign_out_until(fault: Callable[[], object], after: int, leaving: Mapping[str, Person], port: int) -> Acks:
    """Let them sign out, three at a time; the fault comes with an acknowledgement, in the middle of the others.

    Answers when each was acknowledged. Of those that were under way nobody knows.
    """
    acks: Acks = {}

    def leave(name: str) -> None:
        at = leaving[name].sign_out(port)
        if at is not None:
            acks[name] = at
            if len(acks) == after:
                fault()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(leave, leaving))
    return acks


def tokens(of: Mapping[str, Person]) -> dict[str, str]:
    return {name: person.token for name, person in of.items()}


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    claims: dict[str, Any] = json.loads(parse_compact(token).unverified_payload)
    return claims


def kid_of(token: str) -> str:
    return str(parse_compact(token).unverified_header["kid"])


def give_keys(folder: Path, **chosen: Any) -> None:
    """Give an installation keys that were published some time ago, so that a rotation need not wait."""
    as_dev_has_it = {"data": folder, "development": True, "allow_plaintext_keys": True}
    settings = load(**{**as_dev_has_it, **chosen})
    outside = Outside(
        HandClock(datetime.now(UTC) - SINCE_THE_KEYS_WERE_PUBLISHED),
        ready_made(),
        Parameters(memory_kib=8, iterations=1, lanes=1),
    )
    parts = build(settings, outside)
    parts.vault.check()
    parts.rotation.keep(settings.signing_algorithms)
    parts.database.close()
