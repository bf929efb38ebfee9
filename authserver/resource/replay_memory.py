"""Which proofs of possession a service has seen lately: each is good for one request (RFC 9449 §11.1).

In this process and this guard alone; a proof that is copied to another process of the service within its minute is good
there once as well, with the same method, address and token.

Bounded: two generations, the older one dropped when all in it is too old to be accepted anyhow, or when there is no more
room. In the second case it is known what was forgotten: nothing that is not younger than that is accepted any more. So
who floods a service can delay others' requests, and repeat nobody's.
"""

import threading
from typing import TYPE_CHECKING, Final

from authserver.protocol.dpop import NEWEST, OLDEST

if TYPE_CHECKING:
    from authserver.resource.dpop import Proof

ROOM: Final = 200_000  # some 30 MB; 2,800 proofs a second
_ACCEPTED_FOR: Final = OLDEST + NEWEST


class ReplayMemory:
    """Remembers proofs, and for which request each was."""

    def __init__(self, room: int = ROOM) -> None:
        self._half = max(room // 2, 1)
        self._lock = threading.Lock()
        self._young: dict[tuple[str, str], object] = {}
        self._old: dict[tuple[str, str], object] = {}
        self._began = float("-inf")  # the younger generation
        self._newest_old = self._newest_young = self._forgotten = float("-inf")

    def claim(self, proof: "Proof", request: object, now: float) -> bool:
        """True if `proof` was never seen before, or with this very request: a middleware and a view may both ask."""
        name = (proof.thumbprint, proof.jti)
        with self._lock:
            self._make_room(now)
            seen = self._young.get(name) or self._old.get(name)
            if seen is not None:
                return seen is request
            if proof.iat <= self._forgotten:
                return False
            self._young[name] = request
            self._newest_young = max(self._newest_young, proof.iat)
            return True

    def _make_room(self, now: float) -> None:
        over = now - self._began >= _ACCEPTED_FOR
        if not over and len(self._young) < self._half:
            return
        if not over:
            self._forgotten = max(self._forgotten, self._newest_old)
        self._old, self._young = self._young, {}
        self._newest_old, self._newest_young = self._newest_young, float("-inf")
        self._began = now
