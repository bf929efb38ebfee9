"""How it was measured: the first lines of every report, without which no figure means anything."""

import os
import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import median

from cryptography.hazmat.backends.openssl import backend

from benchmarks.load import wrk

WRITES = 25
LIBRARIES = ("uvicorn", "uvloop", "httptools", "fastapi", "sqlalchemy", "cryptography", "argon2-cffi")


def short_name() -> str:
    """A name for a file of results."""
    return f"{platform.system()}-{platform.machine()}-{os.cpu_count()}cores".lower()


def description(folder: Path, rounds: int, seconds: float, connections: int) -> Iterator[str]:
    yield f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; load average {_load()}"
    yield f"Python {platform.python_version()}, {backend.openssl_version_text()}; " + ", ".join(
        f"{name} {version(name)}" for name in LIBRARIES
    )
    yield f"a durable write of 4 kB to the folder of the databases: {_durable_write(folder) * 1e3:.2g} ms"
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


def _durable_write(folder: Path) -> float:
    """Median seconds until the disk has it: on many disks a commit takes longer than everything else together."""
    took = []
    with (folder / "durable").open("wb", buffering=0) as file:
        for _ in range(WRITES):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file)
            took.append(time.perf_counter() - began)
    return median(took)
