"""A relay in front of a server, which counts the requests that a client makes: one for each connection it opens."""

import socket
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Final, Self

HOST: Final = "127.0.0.1"


class Relay:
    """Listens on `port` and carries bytes to `target` and back. Our guard closes after each answer."""

    def __init__(self, port: int, target: int) -> None:
        self.requests: list[bytes] = []
        self._target = target
        self._listener = socket.create_server((HOST, port))
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection((HOST, self._target)) as far:
            first = near.recv(65_536)
            self.requests.append(first.partition(b"\r\n")[0])
            far.sendall(first)
            while chunk := far.recv(65_536):
                near.sendall(chunk)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._listener.close()
