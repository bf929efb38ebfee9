"""`wrk` (a Debian package): the one load generator at hand that is much faster than any Python server."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchmarks.rounds import Sample

SCRIPTS: Final = Path(__file__).parent / "scripts"
MILLISECONDS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
RATE: Final = re.compile(r"Requests/sec:\s+([\d.]+)")
COUNT: Final = re.compile(r"(\d+) requests in")
PERCENTILE: Final = r"\n\s+{}%\s+([\d.]+)(us|ms|s|m)\b"
NOT_2XX: Final = re.compile(r"Non-2xx or 3xx responses: (\d+)")
SOCKET_ERRORS: Final = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")


class Unreadable(Exception):
    """wrk did not say what it measured."""


def available() -> bool:
    return shutil.which("wrk") is not None


def measure(
    url: str,
    connections: int,
    seconds: float,
    script: str = "",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Sample:
    """Ask for one address as fast as it goes. wrk counts in whole seconds, so the time is rounded up.

    :param script: the name of one in `scripts/`, which reads the environment.
    :raises Unreadable: wrk failed.
    """
    duration = f"{max(1, round(seconds + 0.49))}s"
    command = (
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(connections),
        "--duration",
        duration,
        "--latency",
        *(("--script", str(SCRIPTS / script)) if script else ()),
        url,
    )
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=False,
        env={**os.environ, **environment},
    )
    return read(done.stdout)


def read(output: str) -> Sample:
    """Read wrk's report.

    :raises Unreadable: it is not one.
    """
    rate = RATE.search(output)
    if rate is None:
        raise Unreadable(output[-300:])
    refused = NOT_2XX.search(output)
    broken = SOCKET_ERRORS.search(output)
    errors = int(refused[1]) if refused else 0
    errors += sum(map(int, broken.groups())) if broken else 0
    count = int(done[1]) if (done := COUNT.search(output)) else 0
    return Sample(
        float(rate[1]), _percentile(output, 50), _percentile(output, 99), errors=errors, operations=count
    )


def _percentile(output: str, share: int) -> float:
    found = re.search(PERCENTILE.format(share), output)
    if found is None:
        raise Unreadable(output[-300:])
    return float(found[1]) * MILLISECONDS[found[2]]
