"""What the client is to send, and what it says afterwards: both cross a pipe as JSON."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Self

from benchmarks.rounds import Sample

PATIENCE: Final = 30.0


class LoadFailed(Exception):
    """A load could not be put on a server, so nothing was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Requests for each connection, sent over and over, one at a time, until the time is up or all are sent.

    :param requests: for each connection its requests, whole, as they go over the wire.
    :param each: how many requests a connection sends at most; None: until the time is up.
    :param pause: seconds between an answer and the next request.
    """

    port: int
    requests: Sequence[Sequence[str]]
    seconds: float = PATIENCE
    each: int | None = None
    pause: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What came back. Latencies in milliseconds; `broken`: connections that were closed on us."""

    seconds: float
    statuses: Mapping[str, int]
    retry_after: int
    broken: int
    p50_ms: float | None
    p99_ms: float | None
    slowest_ms: float | None
    wrong: Sequence[str] = field(default=())

    @property
    def answers(self) -> int:
        return sum(self.statuses.values())

    def sample(self, expected: int = 200) -> Sample:
        """As a round of the bench, in which every other status is an error."""
        good = self.statuses.get(str(expected), 0)
        errors = self.answers - good + self.broken
        return Sample(good / self.seconds, self.p50_ms, self.p99_ms, errors=errors, operations=good)

    @classmethod
    def parse(cls, text: str) -> Self:
        return cls(**json.loads(text))


class Load:
    """A client process at work; `with` makes sure that it ends."""

    def __init__(self, plan: Plan) -> None:
        command = (sys.executable, "-m", "benchmarks.load.client")
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._plan = plan

    def __enter__(self) -> Self:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(self._plan)))
        self._process.stdin.close()
        self._process.stdin = None
        return self

    def tally(self) -> Tally:
        """Wait for the end and answer what came back.

        :raises LoadFailed: the client gave up; why stands on standard error.
        """
        output, _ = self._process.communicate(timeout=self._plan.seconds + PATIENCE)
        if self._process.returncode:
            raise LoadFailed("the client process failed")
        return Tally.parse(output)

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def send(plan: Plan) -> Tally:
    with Load(plan) as load:
        return load.tally()


def request(
    method: str, path: str, port: int, headers: Mapping[str, str] | None = None, body: str | None = None
) -> str:
    """Write out one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return "\r\n".join((*lines, "", body or ""))
