"""A named service tells its issuer which list and which keys it goes by (`authserver.protocol.heard`).

In a thread of its own: taking over a sign-out must not wait for a report about it. The first report after a change
goes out at once, for an emergency's time to effect is read from it; what changes within the next second is told
together. Nothing depends on a report, so one that fails is only repeated at its time.
"""

import json
import logging
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
    ) -> None:
        self.instance = token_urlsafe(12)
        self._url, self._service, self._post, self._facts = url, service, post, facts
        self._every, self._between = every, between
        self._news = Event()
        self._stop = Event()

    def changed(self) -> None:
        self._news.set()

    def stop(self) -> None:
        self._stop.set()
        self._news.set()

    def run(self) -> None:
        """Until `stop`. `facts` answers None while there is nothing to say."""
        while not self._stop.is_set():
            self._news.clear()
            facts = self._facts()
            silence = 0.0 if facts is None else self._say(facts)
            if not self._stop.wait(silence):
                self._news.wait(self._every)

    def _say(self, facts: Said) -> float:
        """Seconds to be silent from now on."""
        body = {"service": self._service, "instance": self.instance, **asdict(facts)}
        try:
            status = self._post(self._url, _HEADERS, json.dumps(body).encode()).status
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, it is only a report
            _log.debug("the issuer was not told where this service stands: %s", error)
            return self._between
        return _LEFT_ALONE if status in _NOT_WANTED else self._between
