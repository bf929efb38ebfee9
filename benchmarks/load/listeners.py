"""A process of stream readers: opens so many, says when all have heard, then what the last one of each change took.

Reads one line of JSON, `{"port", "path", "count"}`; writes `{"open": count}`, and then a line `{"sequence", "at"}` for
each sequence that every stream has heard; `at` by the machine's monotonic clock, which processes share.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, cast

EVENT_ID: Final = re.compile(rb"\nid: (\d+)\n")
BATCH: Final = 50


class Count:
    """How many streams have heard of which sequence."""

    def __init__(self, streams: int) -> None:
        self._streams = streams
        self._heard: Counter[int] = Counter()

    def heard(self, before: int, sequence: int) -> None:
        """A stream went from `before` to `sequence`, and so heard everything between."""
        for each in range(before + 1, sequence + 1):
            self._heard[each] += 1
            if self._heard[each] == self._streams:
                say({"sequence": each, "at": time.monotonic()})


class Listener(asyncio.Protocol):
    """One stream. What it reads is scanned for ids and dropped."""

    def __init__(self, request: bytes, count: Count) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._count = count
        self._at = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.WriteTransport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        ids = EVENT_ID.findall(data)
        if not ids:
            return
        sequence, before, self._at = int(ids[-1]), self._at, int(ids[-1])
        if before >= 0:
            self._count.heard(before, sequence)
        elif not self.opened.done():
            self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed before its first event"))


async def listen(port: int, path: str, count: int) -> None:
    """Open the streams, some at a time: the accept queue of a loopback socket is short."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    loop, heard = asyncio.get_running_loop(), Count(count)
    for first in range(0, count, BATCH):
        made = [
            loop.create_connection(lambda: Listener(request, heard), "127.0.0.1", port)
            for _ in range(min(BATCH, count - first))
        ]
        await asyncio.gather(*[listener.opened for _, listener in await asyncio.gather(*made)])
    say({"open": count})
    await asyncio.Event().wait()


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    limits = import_module("resource")
    limits.setrlimit(limits.RLIMIT_NOFILE, (limits.getrlimit(limits.RLIMIT_NOFILE)[1],) * 2)
    run = asyncio.run
    with suppress(ImportError):
        import uvloop  # noqa: PLC0415 - it may be missing

        run = uvloop.run
    run(listen(**json.loads(sys.stdin.readline())))


if __name__ == "__main__":
    main()
