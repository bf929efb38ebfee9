"""What a request hangs on: it ends when its time is up, or at once when another thread hangs up.

A socket's own timeout begins anew with each byte, so an answer whose headers or chunks drip would never end. Here
every wait is cut to what is left of the whole.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from io import BufferedReader, RawIOBase
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any

from authserver.resource.since_boot import since_boot

if TYPE_CHECKING:
    from socket import socket


class FetchFailed(Exception):
    """No usable answer. The message names the trouble, not the body."""


class TooSlow(FetchFailed):
    """Nothing came in time."""


class Line:
    """For one request at a time, made by one thread; any thread may hang up, once and for all later requests too."""

    def __init__(self, silence: float, clock: Callable[[], float] = since_boot) -> None:
        self._silence = silence
        self._clock = clock
        self._ends_at = inf
        self._pid = os.getpid()
        self._lock = Lock()
        self._socket: socket | None = None
        self._is_down = False

    def allow(self, seconds: float) -> None:
        """From now on it may take so long."""
        self._ends_at = self._clock() + seconds

    def seconds_left(self) -> float:
        """How long the next wait may take. :raises FetchFailed: not at all."""
        if self._is_down:
            raise FetchFailed("hung up")
        left = self._ends_at - self._clock()
        if left <= 0:
            raise TooSlow("the answer is too slow")
        return min(left, self._silence)

    def hold(self, connected: "socket", reader: BufferedReader) -> BufferedReader:
        """The same reader, bound to this line."""
        with self._lock:
            self._socket = connected
            if self._is_down:
                self._shut_down()
        return BufferedReader(_Timed(reader.detach(), connected, self))

    def hang_up(self) -> None:
        """A read that waits ends now. Not for a forked child: the connection is its parent's, who goes on reading."""
        if os.getpid() == self._pid:
            with self._lock:
                self._is_down = True
                self._shut_down()

    def _shut_down(self) -> None:
        from socket import SHUT_RDWR, socket  # noqa: PLC0415 - loaded by whoever made the connection

        if self._socket is not None:
            with suppress(OSError):  # closed already
                socket.shutdown(
                    self._socket, SHUT_RDWR
                )  # not SSLSocket's: it takes TLS away under the reader


class _Timed(RawIOBase):
    def __init__(self, raw: RawIOBase, connected: "socket", line: Line) -> None:
        self._raw, self._socket, self._line = raw, connected, line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._line.seconds_left())
        read: int | None = self._raw.readinto(buffer)
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()
