"""Looking a name up, in the time there is: the system's resolver has no limit of its own, and may take half a minute."""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")

Resolve = Callable[[str], Sequence[str]]


def look_up(host: str) -> list[str]:
    """Answer the addresses of a host, in the order in which to try them.

    :raises OSError: there is no such host, or nobody who knows.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


def in_time(work: Callable[[], T], seconds: float) -> T:
    """Run `work` in a thread of its own and wait so long for it; a thread that is late ends by itself.

    :raises TimeoutError: it took longer.
    """
    outcome: Future[T] = Future()
    Thread(target=_settle, args=(outcome, work), name="look-up", daemon=True).start()
    return outcome.result(seconds)


def _settle(outcome: Future[T], work: Callable[[], T]) -> None:
    try:
        outcome.set_result(work())
    except Exception as error:  # noqa: BLE001 - it is raised again where somebody waits for it
        outcome.set_exception(error)
