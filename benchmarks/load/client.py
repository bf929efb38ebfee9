"""The client process: reads a plan from standard input, sends it, writes a tally to standard output.

One `asyncio.Protocol` for each connection, on uvloop where it is installed. Answers must say their length: a server
that would send chunks is refused loudly rather than measured wrongly.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from itertools import cycle
from typing import Any, Final, NamedTuple, cast

from benchmarks.load.plan import Plan, Tally
from benchmarks.rounds import percentile

LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
RETRY_AFTER: Final = re.compile(rb"\r\nretry-after: *\d+\r\n", re.IGNORECASE)
ANSWER_SECONDS: Final = 10.0
BAD: Final = 400
KEPT_WRONG: Final = 3


class Answer(NamedTuple):
    status: int
    retry_after: bool
    length: int


class Notes:
    """What the connections of one plan saw."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.retry_after = 0
        self.broken = 0
        self.wrong: list[str] = []

    def note(self, answer: Answer, text: bytes, seconds: float) -> None:
        self.latencies.append(seconds * 1000)
        self.statuses[str(answer.status)] += 1
        self.retry_after += answer.retry_after
        if answer.status >= BAD and len(self.wrong) < KEPT_WRONG:
            self.wrong.append(text[:400].decode("latin-1"))

    def tally(self, seconds: float) -> Tally:
        times = self.latencies
        return Tally(
            seconds=seconds,
            statuses=dict(self.statuses),
            retry_after=self.retry_after,
            broken=self.broken,
            p50_ms=percentile(times, 0.50) if times else None,
            p99_ms=percentile(times, 0.99) if times else None,
            slowest_ms=max(times, default=None),
            wrong=self.wrong,
        )


class Visitor(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, plan: Plan, requests: list[bytes], notes: Notes, deadline: float) -> None:
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = cycle(requests)
        self._left = plan.each if plan.each is not None else sys.maxsize
        self._pause = plan.pause
        self._notes = notes
        self._deadline = deadline
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is none by inheritance
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            answer = read_answer(self._received)
        except ValueError as error:
            self.finished.set_exception(error)
            return
        if answer is not None:
            self._take(answer)

    def _take(self, answer: Answer) -> None:
        now = time.perf_counter()
        if now <= self._deadline:
            self._notes.note(answer, self._received, now - self._sent_at)
        self._received = self._received[answer.length :]
        if self._pause:
            asyncio.get_running_loop().call_later(self._pause, self._send)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - signature of asyncio
        if not self.finished.done():
            self._notes.broken += 1
            self.finished.set_result(None)

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        if self._left <= 0 or self._sent_at >= self._deadline:
            if not self.finished.done():
                self.finished.set_result(None)
            self._transport.close()
            return
        self._left -= 1
        self._transport.write(next(self._requests))


def read_answer(received: bytes) -> Answer | None:
    """Read the first answer in what was received; None while it is not there in full.

    :raises ValueError: the answer does not say how long it is.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = received[: end + 2]
    length = LENGTH.search(head)
    if length is None:
        raise ValueError(f"an answer without a length: {head[:60]!r}")
    whole = end + 4 + int(length[1])
    if len(received) < whole:
        return None
    return Answer(int(head[9:12]), RETRY_AFTER.search(head) is not None, whole)


async def run(plan: Plan) -> Tally:
    """Send a plan; the time runs from before the first connection."""
    notes, began = Notes(), time.perf_counter()
    loop, deadline = asyncio.get_running_loop(), began + plan.seconds
    prepared = [[text.encode("latin-1") for text in requests] for requests in plan.requests]

    async def visit(requests: list[bytes]) -> None:
        made = lambda: Visitor(plan, requests, notes, deadline)  # noqa: E731 - a factory, as asyncio wants it
        _, visitor = await loop.create_connection(made, "127.0.0.1", plan.port)
        await visitor.finished

    async with asyncio.timeout(plan.seconds + ANSWER_SECONDS), asyncio.TaskGroup() as tasks:
        for requests in prepared:
            tasks.create_task(visit(requests))
    return notes.tally(min(time.perf_counter() - began, plan.seconds))


def main() -> None:
    given: dict[str, Any] = json.load(sys.stdin)
    runner = asyncio.run
    with suppress(ImportError):
        import uvloop  # noqa: PLC0415 - it may be missing

        runner = uvloop.run
    json.dump(asdict(runner(run(Plan(**given)))), sys.stdout)


if __name__ == "__main__":
    main()
