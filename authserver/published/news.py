"""Thousands of readers wait for the list to change, and none of them is a thread.

When it does they are woken in small groups, and other requests are served between two groups: telling two thousand
streams takes a tenth of a second, and nobody who fetches the JWKS should notice.
"""

import asyncio
from collections.abc import Callable
from typing import Final

AT_ONCE: Final = 16

Waiter = asyncio.Future[None]


class News:
    """Wakes those who wait. Everything here happens on the event loop."""

    def __init__(self) -> None:
        self.over = False
        self._waiting: set[Waiter] = set()

    async def wait(self, seconds: float, gone: "asyncio.Future[None] | None" = None) -> None:
        """Return at the next news, after `seconds`, when `gone` is done, or at once when there will be none."""
        if self.over or (gone is not None and gone.done()):
            return
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        late = loop.call_later(seconds, _wake, waiter)
        stop = _wakes(waiter)
        if gone is not None:
            gone.add_done_callback(stop)
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)
            late.cancel()
            if gone is not None:
                gone.remove_done_callback(stop)

    async def tell(self) -> None:
        """Wake everyone who waits now."""
        for number, waiter in enumerate(tuple(self._waiting), 1):
            _wake(waiter)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)

    def end(self) -> None:
        """Let everyone go, now and from now on: the server stops."""
        self.over = True
        for waiter in tuple(self._waiting):
            _wake(waiter)


def _wake(waiter: Waiter) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _wakes(waiter: Waiter) -> Callable[["asyncio.Future[None]"], None]:
    return lambda _gone: _wake(waiter)
