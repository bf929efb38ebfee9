"""GET /revocations: the list as a signed snapshot, or with `?since=` as a signed delta (PRODUCT §4).

Each answer is a Security Event Token signed by the active key (protocol/revocation.py). `iat` is when the database
last confirmed the list, so a reader knows how fresh its knowledge is, and nothing is signed while the database is
away. Answers are signed once for all readers: until the list changes, or a second has passed.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from starlette.types import Scope

from authserver.keyring.live import CannotSign, LiveKeyring
from authserver.keyring.signer import Signer
from authserver.protocol.media import SECURITY_EVENT, SECURITY_EVENT_TYP
from authserver.published.documents import Document, document, refusal, unavailable
from authserver.revocations import feed
from authserver.revocations.live import Known, LiveRevocations

CACHE: Final = "no-cache"
LONGEST_DELTA: Final = (
    1_000  # entries; whoever is further behind starts anew, and all of those share one answer
)
MOST_KEPT: Final = 64
LARGE: Final = 10_000  # entries of a list whose snapshot is not worth signing every second
LONGEST_NUMBER: Final = 18
UNAVAILABLE: Final = unavailable("The revocation list cannot be confirmed now.")
BAD_SINCE: Final = refusal(
    400, "invalid_request", "since must be one whole number, the sequence that you know."
)


@dataclass(frozen=True, slots=True)
class Signed:
    """An answer, what it was made from, and by which key."""

    answer: Document
    known: Known
    kid: str

    def serves(self, known: Known, kid: str, seconds: float) -> bool:
        """Say whether it still says the same, and lately enough."""
        age = (known.confirmed_at - self.known.confirmed_at).total_seconds()
        return self.kid == kid and self.known.head.epoch == known.head.epoch and age < seconds


class RevocationsDocument:
    """Signs what `LiveRevocations` knows, and remembers it for the other readers."""

    def __init__(self, issuer: str, algorithm: str, keyring: LiveKeyring, live: LiveRevocations) -> None:
        self._issuer = issuer
        self._algorithm = algorithm
        self._keyring = keyring
        self._live = live
        self._snapshot: Signed | None = None
        self._deltas: dict[int, Signed] = {}

    def __call__(self, scope: Scope) -> Document:
        since = _since(scope["query_string"])
        if isinstance(since, Document):
            return since
        known = self._live.known
        if known is None:
            return UNAVAILABLE
        try:
            signer = self._keyring.signer(self._algorithm)
        except CannotSign:
            return UNAVAILABLE
        if since is None or not self._can_continue(known, since):
            return self._whole(known, signer)
        return self._delta(known, since, signer)

    def _can_continue(self, known: Known, since: int) -> bool:
        """A reader that knows a future which we do not has read a database that was restored: it starts anew."""
        return since <= known.head.sequence and len(known.after(since)) <= LONGEST_DELTA

    def _whole(self, known: Known, signer: Signer) -> Document:
        """Answer a snapshot; one of a long list may be some seconds old, as deltas lead on from it."""
        found, large = self._snapshot, len(known.entries) > LARGE
        same = found is not None and (large or found.known.head == known.head)
        if found is None or not same or not found.serves(known, signer.kid, 20 if large else 1):
            self._snapshot = found = self._sign(known, None, signer)
        return found.answer

    def _delta(self, known: Known, since: int, signer: Signer) -> Document:
        found = self._deltas.get(since)
        if found is None or found.known.head != known.head or not found.serves(known, signer.kid, 1):
            while len(self._deltas) >= MOST_KEPT:
                self._deltas.pop(next(iter(self._deltas)))
            self._deltas.pop(since, None)
            self._deltas[since] = found = self._sign(known, since, signer)
        return found.answer

    def _sign(self, known: Known, since: int | None, signer: Signer) -> Signed:
        entries = known.entries if since is None else known.after(since)
        claims = feed.claims(self._issuer, known.head, entries, since=since, confirmed_at=known.confirmed_at)
        answer = document(signer.sign(SECURITY_EVENT_TYP, claims).encode(), SECURITY_EVENT, CACHE)
        return Signed(answer, known, signer.kid)


def _since(query: bytes) -> int | Document | None:
    if not query:
        return None
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None).get("since", [])
    if not values:
        return None
    if (
        len(values) > 1
        or not (values[0].isascii() and values[0].isdigit())
        or len(values[0]) > LONGEST_NUMBER
    ):
        return BAD_SINCE
    return int(values[0])
