"""The processes that the drill starts, and their end: each in a group of its own, ended by its id, politely first.

Ctrl-C reaches the drill alone, because its children have sessions of their own; so the order in which things end is
ours, whatever happens.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

PATIENCE: Final = 10.0


class DrillBroken(Exception):
    """The drill itself could not go on: it says nothing about the verifiers, and why."""


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path, *, pipes: bool = False
) -> Iterator["subprocess.Popen[bytes]"]:
    """Keep a process running inside the block. Its output goes to `log`, or standard output to a pipe."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command lines
            command,
            env=dict(environment),
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process and whatever it started."""
    if process.stdin is not None:
        _close(process.stdin)
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE)
            break
    if process.stdout is not None:
        _close(process.stdout)


def tail(log: Path, lines: int = 8) -> str:
    """The last words of a process, for whoever has to find out why it failed."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    return "\n".join(text.splitlines()[-lines:])


def _close(pipe: IO[bytes]) -> None:
    with suppress(OSError):  # nobody reads there any more
        pipe.close()
