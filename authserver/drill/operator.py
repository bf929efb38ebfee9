"""The operator of the drill: he types the real commands, each a process of its own, and reads their JSON."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, Self

from authserver.drill.processes import DrillBroken, end

Facts = Mapping[str, Any]
Pending = Callable[[], Facts | None]  # None: it still runs
COMMAND_SECONDS: Final = 60.0


class Operator(Protocol):
    """Changes keys. Both answer at once; the verifiers go on meanwhile, and whoever asks looks again."""

    def rotate(self) -> Pending: ...
    def compromise(self, kid: str) -> Pending: ...


class CommandLine:
    """`authserver keys rotate` and `authserver keys revoke` on the drill's data; a context, for what may still run."""

    def __init__(self, program: tuple[str, ...], environment: Mapping[str, str], data: Path) -> None:
        self._program = program
        self._environment = environment
        self._data = data
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            end(process)

    def rotate(self) -> Pending:
        return self._start("keys", "rotate")

    def compromise(self, kid: str) -> Pending:
        return self._start("keys", "revoke", kid, "--compromised", "--yes")

    def _start(self, *words: str) -> Pending:
        command = (*self._program, *words, "--json", "--data", str(self._data))
        process = subprocess.Popen(  # noqa: S603 - our own command line
            command,
            env=dict(self._environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._started.append(process)
        return lambda: _answer(process, " ".join(words))


def _answer(process: "subprocess.Popen[bytes]", words: str) -> Facts | None:
    if process.poll() is None:
        return None
    said, complaint = process.communicate()
    if process.returncode:
        raise DrillBroken(f"`authserver {words}` failed: {complaint.decode(errors='replace').strip()}")
    facts: Facts = json.loads(said)
    return facts
