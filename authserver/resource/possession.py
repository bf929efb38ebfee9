"""What a service asks of a proof of possession: that it was made for one of its own addresses, and is new (RFC 9449 §7).

The address of a request is: one of the origins at which the service is reached, and the request's path. The origins are
told to the guard; a `Host` header is not believed, because who stole a proof that was made for another service would
write that one's name there. So nothing has to be known about proxies either.
"""

from collections.abc import Callable, Collection, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from authserver.resource.refusal import Reason, Refusal
from authserver.resource.replay_memory import ReplayMemory

if TYPE_CHECKING:
    from authserver.resource.dpop import Proof

_NOTE: Final = "authserver.request"


class Possession:
    """Judges the proofs that come with one service's requests."""

    def __init__(self, origins: Collection[str], clock: Callable[[], float]) -> None:
        self._origins = tuple(origins)
        self._clock = clock
        self._seen = ReplayMemory()

    def judge(self, headers: Sequence[str], *, method: str, path: str, token: str) -> "Proof | Refusal":
        """The proof, if it is one for this request and this token."""
        from authserver.resource.dpop import (  # noqa: PLC0415 - 10 ms for a service that is never sent one
            Expected,
            Proof,
            verify_proof,
        )

        if not self._origins or not path.startswith("/"):
            return Refusal(Reason.BAD_PROOF, "no address to compare htu with", facts={"kind": "place"})
        now, first = self._clock(), None
        for origin in self._origins:
            outcome = verify_proof(headers, Expected(method, origin + path, token), now)
            if isinstance(outcome, Proof):
                return outcome
            first = first or outcome.reason
        return Refusal(Reason.BAD_PROOF, first or "")

    def claim(self, proof: "Proof", notes: MutableMapping[str, Any]) -> Refusal | None:
        """Use up a proof for the request that these notes are of."""
        request = notes.setdefault(_NOTE, object())
        if self._seen.claim(proof, request, self._clock()):
            return None
        return Refusal(Reason.BAD_PROOF, "the proof was sent before", facts={"kind": "replayed"})


def origins_of(audiences: Collection[str]) -> tuple[str, ...]:
    """Where a service is reached whose audiences are its addresses, as RFC 8707 and RFC 9728 have it."""
    parts = [urlsplit(audience) for audience in audiences if audience.startswith(("https://", "http://"))]
    return tuple(dict.fromkeys(f"{one.scheme}://{one.netloc}" for one in parts if one.netloc))
