"""How it was measured: the first lines of every report, without which no figure means anything."""

import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.backends.openssl import backend

from benchmarks.load import wrk

LIBRARIES = ("uvicorn", "uvloop", "httptools", "fastapi", "sqlalchemy", "cryptography", "argon2-cffi")


def short_name() -> str:
    """A name for a file of results."""
    return f"{platform.system()}-{platform.machine()}-{os.cpu_count()}cores".lower()


def description(rounds: int, seconds: float, connections: int) -> Iterator[str]:
    yield f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; load average {_load()}"
    yield f"Python {platform.python_version()}, {backend.openssl_version_text()}; " + ", ".join(
        f"{name} {version(name)}" for name in LIBRARIES
    )
    yield f"{rounds} interleaved rounds of {seconds:g} s after a warm-up; median [minimum … maximum]"
    yield f"documents: {_generator()}, {connections} keep-alive connections"
    yield "sign-in, refresh, writers: own client, in a process of its own, on the same cores as the server"
    yield "mint, guard: one thread, processor time, in slices of 20 ms in turn"


def _generator() -> str:
    if wrk.available():
        return "wrk, 1 thread"
    return (
        "own client (wrk is not installed; it is slower than the servers, so these ratios come out too flat)"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _load() -> str:
    return " ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
