"""The server's side of one connection, and how long it is kept for a peer who does nothing: `serve` and `dev` name it.

Connections are what there is least of: each holds a descriptor, and whoever has none left accepts nobody. uvicorn ends
an idle connection after an answer, but waits for ever for one that

* was answered and reads nothing, or has vanished: its window stays shut, and the kernel would ask about it for fifteen
  minutes, or without end. TCP_USER_TIMEOUT (RFC 5482) drops it, where the platform has that, and with it what lies in
  the buffer. A reader of the revocation stream who takes nothing is let go by published/pace.py, but only like this
  does he go.
* sends the head of a request byte by byte, or nothing at all (slowloris); or without end: it would all be kept.

Bodies have their time as well, where they are read (web/body.py).
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

DEAF_FOR: Final = 30.0  # seconds without an acknowledgement of what was sent
HEAD_WITHIN: Final = 10.0  # seconds, from the connection or from the request's first byte
LARGEST_HEAD: Final = 64 * 1024
TCP_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux


class Connection(HttpToolsProtocol):
    """uvicorn's protocol for HTTP/1.1, with an end to its patience."""

    _late: asyncio.TimerHandle | None = None
    _head_size: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(transport)
        _drop_when_deaf(transport.get_extra_info("socket"))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._late
        super().data_received(data)
        if (
            before is not None and before is self._late
        ):  # all of it belongs to this head, and it has not ended yet
            self._head_size += len(data)
            if self._head_size > LARGEST_HEAD:
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_is_here()
        self._late = self.loop.call_later(HEAD_WITHIN, self._give_up)
        self._head_size = 0

    def _head_is_here(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _give_up(self) -> None:
        """End it without a word, as uvicorn ends an idle one. A former request that is still answered goes first."""
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]  # None before the first
            self.transport.close()
        else:
            self._await_head()


def _drop_when_deaf(accepted: Any) -> None:
    if accepted is not None and TCP_USER_TIMEOUT is not None:
        with suppress(OSError):  # not TCP: a Unix socket
            accepted.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, int(DEAF_FOR * 1000))
