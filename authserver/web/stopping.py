"""Hears that the process is asked to stop, before the server has waited for its open answers to end.

Streams never end by themselves: a server that only hears of its end afterwards would wait for them in vain.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def told_of_stop(tell: Callable[[], None]) -> Iterator[None]:
    """Inside the block, call `tell` on the running loop at SIGTERM or SIGINT, besides whoever handles them already."""
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Handler] = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if callable(handler):
                before[number] = handler
                signal.signal(number, _both(handler, lambda: loop.call_soon_threadsafe(tell)))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _both(handler: Handler, tell: Callable[[], object]) -> Handler:
    def handle(number: int, frame: FrameType | None) -> None:
        tell()
        handler(number, frame)

    return handle
