"""Processes of the bench's own: servers on free loopback ports, what they use, and their end.

Only what was started here is ended, by its id. What memory and processor time is, the kernel says (Linux; elsewhere
these figures are missing).
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from authserver.settings import PREFIX

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0
LOOK_EVERY: Final = 0.005


class NotStarted(Exception):
    """A server did not come up; the message holds the end of what it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server process that answers."""

    process: subprocess.Popen[bytes]
    port: int
    took: float

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu_seconds(self) -> float:
        """Processor time that it and its workers have used."""
        return sum(_cpu_seconds(pid) for pid in family(self.process.pid))

    def memory(self) -> "Memory":
        """The memory of the worker that uses most."""
        return max((memory(pid) for pid in family(self.process.pid)), key=lambda found: found.rss_mb)


@dataclass(frozen=True, slots=True)
class Memory:
    """RSS counts shared pages in full, PSS by how many processes share them."""

    rss_mb: float
    pss_mb: float


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def uvicorn(
    app: str,
    port: int,
    environment: Mapping[str, str],
    log: Path,
    *,
    ready: str,
    workers: int = 1,
) -> Iterator[Server]:
    """Run an ASGI factory as `authserver serve` does: uvloop, httptools, no access log, behind a proxy on loopback.

    :param ready: the path that answers 200 as soon as the server is of use.
    :raises NotStarted: it does not.
    """
    command = (sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port), "--loop", "uvloop")
    served = ("--http", "httptools", "--workers", str(workers), "--forwarded-allow-ips", "127.0.0.1")
    quiet = ("--no-access-log", "--no-server-header", "--log-level", "warning")
    with _serving((*command, *served, *quiet), port, environment, log, ready) as server:
        yield server


@contextmanager
def node(
    program: Path, port: int, environment: Mapping[str, str], log: Path, *, ready: str
) -> Iterator[Server]:
    """Run a server of others that is written for Node.js.

    :raises NotStarted: as above.
    """
    with _serving(
        ("node", str(program)), port, {"NODE_ENV": "production", **environment}, log, ready
    ) as server:
        yield server


@contextmanager
def _serving(
    command: tuple[str, ...], port: int, environment: Mapping[str, str], log: Path, ready: str
) -> Iterator[Server]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    began = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(command, env={**clean, **environment}, stdout=output, stderr=output)
    try:
        took = _wait(process, port, ready, began, log)
        yield Server(process, port, took)
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process: politely, then not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def family(pid: int) -> list[int]:
    """A process and its children's children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(below for child in children for below in family(int(child)))]


def memory(pid: int) -> Memory:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return Memory(float("nan"), float("nan"))
    return Memory(
        *(int(re.findall(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[0]) / 1024 for name in ("Rss", "Pss"))
    )


def _cpu_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(process: "subprocess.Popen[bytes]", port: int, ready: str, began: float, log: Path) -> float:
    while time.perf_counter() - began < START_SECONDS and process.poll() is None:
        if _answers(port, ready):
            return time.perf_counter() - began
        time.sleep(LOOK_EVERY)
    raise NotStarted(log.read_text(errors="replace")[-2_000:])


def _answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
