"""A named service tells its issuer which list and which keys it goes by (`authserver.protocol.heard`).

In a thread of its own: taking over a sign-out must not wait for a report about it. The first report after a change
goes out at once, and what changes within the next second is told together. Nothing depends on a report, so one that
fails is only repeated at its time.

An emergency's time to effect is read from these reports, so it must not be theirs. It arrives in two changes: the list
that names the lost key is signed by the next one, so other keys come first. Those alone are told a moment later, with
the list; and a key that was just dropped is told whatever was told within this second.
"""

import json
import logging
import os
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from secrets import token_urlsafe
from threading import Event
from typing import Final

from authserver.protocol.heard import LONGEST_NAME, MOST_KIDS, SAID_EVERY
from authserver.resource.http import Post

_log: Final = logging.getLogger("authserver.resource")

_HEADERS: Final = {"Content-Type": "application/json"}
_BETWEEN: Final = 1.0
_MOMENT: Final = 0.05  # between new keys and the list that they were fetched for
_LONGEST_HOST: Final = 36  # which leaves room for a number and for what is random
_NOT_WANTED: Final = frozenset((404, 405, 410))
_LEFT_ALONE: Final = 600.0


@dataclass(frozen=True, slots=True)
class Said:
    """What there is to say: where the list stands, the keys that are believed, and how the news comes."""

    sequence: int
    mark: str
    kids: tuple[str, ...]
    by: str


def believed(known: Collection[str], revoked: Collection[str]) -> tuple[str, ...]:
    """The keys that tokens may be signed by here."""
    return tuple(sorted(kid for kid in known if kid not in revoked)[:MOST_KIDS])


def name_of_process(host: str) -> str:
    """`host`, without what would spoil a table; its number there; and something that no other process has."""
    shown = "".join(letter for letter in host if letter.isprintable()).strip()[:_LONGEST_HOST]
    return f"{shown}:{os.getpid()}:{token_urlsafe(12)}"[:LONGEST_NAME]


def require_name(service: str) -> str:
    """ValueError for a name that the issuer would not take."""
    if not 0 < len(service) <= LONGEST_NAME or not service.isprintable() or service != service.strip():
        raise ValueError(f"a service's name has 1 to {LONGEST_NAME} printable characters")
    return service


class ServiceReport:
    """One process's. A forked child makes its own, with another `instance`."""

    def __init__(
        self,
        url: str,
        service: str,
        post: Post,
        facts: Callable[[], Said | None],
        *,
        every: float = SAID_EVERY,
        between: float = _BETWEEN,
        moment: float = _MOMENT,
    ) -> None:
        self.instance = name_of_process(_this_host())
        self._url, self._service, self._post, self._facts = url, service, post, facts
        self._every, self._between, self._moment = every, between, moment
        self._last: Said | None = None
        self._news, self._urgent = Event(), Event()
        self._stop = Event()

    def changed(self, *, at_once: bool = False) -> None:
        """There is something to say; `at_once`: whatever has been said just before."""
        if at_once:
            self._urgent.set()
        self._news.set()

    def stop(self) -> None:
        self._stop.set()
        self.changed(at_once=True)

    def run(self) -> None:
        """Until `stop`. `facts` answers None while there is nothing to say."""
        while not self._is_over():
            facts = self._facts()
            if facts is not None and self._are_only_keys_new(facts):
                self._urgent.wait(self._moment)
                if self._is_over():
                    return
                facts = self._facts()
            self._last = facts
            silence = 0.0 if facts is None else self._say(facts)
            if not self._urgent.wait(silence):
                self._news.wait(self._every)

    def _is_over(self) -> bool:
        """What is new is about to be said. Whoever stops us says so before waking us, so nobody is overheard."""
        self._news.clear()
        self._urgent.clear()
        return self._stop.is_set()

    def _are_only_keys_new(self, facts: Said) -> bool:
        last = self._last
        return last is not None and facts.kids != last.kids and facts.sequence == last.sequence

    def _say(self, facts: Said) -> float:
        """Seconds to be silent from now on."""
        body = {"service": self._service, "instance": self.instance, **asdict(facts)}
        try:
            status = self._post(self._url, _HEADERS, json.dumps(body).encode()).status
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, it is only a report
            _log.debug("the issuer was not told where this service stands: %s", error)
            return self._between
        return _LEFT_ALONE if status in _NOT_WANTED else self._between


def _this_host() -> str:
    from socket import gethostname  # noqa: PLC0415 - whoever reports has made a connection before

    return gethostname()
