"""What the revocation feed says to a reader: the list as a signed snapshot, delta or reset (PRODUCT §4).

Each answer is a Security Event Token signed by the active key (protocol/revocation.py). `iat` is when the database
last confirmed the list, so a reader knows how fresh its knowledge is, and nothing is signed while the database is
away. Answers are signed once for all readers: until the list changes, or a second has passed.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from authserver.keyring.live import CannotSign, LiveKeyring
from authserver.keyring.signer import Signer
from authserver.protocol.media import SECURITY_EVENT, SECURITY_EVENT_TYP
from authserver.published.documents import Document, document, unavailable
from authserver.published.readers import Position
from authserver.revocations import feed
from authserver.revocations.live import Known, LiveRevocations
from authserver.revocations.store import Head

CACHE: Final = "no-cache"
LONGEST_DELTA: Final = (
    1_000  # entries; whoever is further behind starts anew, and all of those share one answer
)
MOST_KEPT: Final = 64
LARGE: Final = 10_000  # entries of a list whose snapshot is long work, and not worth it every second
LARGE_LASTS: Final = 5.0  # seconds
MOST_RESETS: Final = 20  # signed in a second: whoever invents positions must not keep us busy
UNAVAILABLE: Final = unavailable("The revocation list cannot be confirmed now.")


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and where its reader stands afterwards; None: nowhere, the whole list comes next."""

    answer: Document
    position: Position | None


@dataclass(frozen=True, slots=True)
class Signed:
    """An answer, what it was made from, and by which key."""

    answer: Document
    known: Known
    kid: str

    def serves(self, known: Known, kid: str, seconds: float) -> bool:
        """Say whether it was made lately enough, and by the key that signs now."""
        age = (known.confirmed_at - self.known.confirmed_at).total_seconds()
        return self.kid == kid and 0 <= age < seconds


@dataclass(slots=True)
class Shelf:
    """The last answers of one form, for the other readers who stand at the same place."""

    answers: dict[Hashable, Signed] = field(default_factory=dict)

    def put(self, place: Hashable, signed: Signed) -> Signed:
        self.answers.pop(place, None)
        while len(self.answers) >= MOST_KEPT:
            self.answers.pop(next(iter(self.answers)))
        self.answers[place] = signed
        return signed


class RevocationFeed:
    """Signs what `LiveRevocations` knows, and remembers it for the other readers."""

    def __init__(self, issuer: str, algorithm: str, keyring: LiveKeyring, live: LiveRevocations) -> None:
        self._issuer = issuer
        self._algorithm = algorithm
        self._keyring = keyring
        self._live = live
        self._snapshot: Signed | None = None
        self._deltas = Shelf()
        self._resets = Shelf()

    def has_news_for(self, position: Position | None) -> bool:
        """Say whether a reader there would be told anything but "nothing new"."""
        known = self._live.known
        if known is None or position is None or position.sequence != known.head.sequence:
            return True
        return position.mark not in {None, known.head.mark}

    def is_ahead(self, position: Position | None) -> bool:
        """Say whether a reader claims to know what we do not: another server may have told it a moment ago."""
        known = self._live.known
        return known is None or (position is not None and position.sequence > known.head.sequence)

    def is_long_work(self, position: Position | None) -> bool:
        """Say whether the answer would keep the event loop from everybody else: a long list, not signed yet."""
        known, kept = self._live.known, self._snapshot
        if known is None or len(known.entries) <= LARGE or _continued(known, position) is not None:
            return False
        return kept is None or not kept.serves(known, kept.kid, LARGE_LASTS)

    def tell(self, position: Position | None) -> Told:
        """Answer what a reader at `position` must hear. Look at the database before, if it `is_ahead`."""
        known, signer = self._live.known, self._signer()
        if known is None or signer is None:
            return Told(UNAVAILABLE, position)
        if position is not None and position.mark and position.sequence > known.head.sequence:
            return self._reset(known, Head(position.sequence, position.mark), signer)
        since = _continued(known, position)
        answer = self._whole(known, signer) if since is None else self._delta(known, since, signer)
        return Told(answer, Position(known.head.sequence, known.head.mark))

    def _signer(self) -> Signer | None:
        try:
            return self._keyring.signer(self._algorithm)
        except CannotSign:
            return None

    def _whole(self, known: Known, signer: Signer) -> Document:
        """Answer a snapshot; one of a long list may be some seconds old, as deltas lead on from it."""
        found, large = self._snapshot, len(known.entries) > LARGE
        same = found is not None and (large or found.known.head == known.head)
        if found is None or not same or not found.serves(known, signer.kid, LARGE_LASTS if large else 1):
            claims = feed.claims(
                self._issuer, known.head, known.entries, since=None, confirmed_at=known.confirmed_at
            )
            self._snapshot = found = _sign(claims, known, signer)
        return found.answer

    def _delta(self, known: Known, since: Head, signer: Signer) -> Document:
        found = self._deltas.answers.get(since)
        if found is None or found.known.head != known.head or not found.serves(known, signer.kid, 1):
            entries = known.after(since.sequence)
            claims = feed.claims(
                self._issuer, known.head, entries, since=since, confirmed_at=known.confirmed_at
            )
            found = self._deltas.put(since, _sign(claims, known, signer))
        return found.answer

    def _reset(self, known: Known, lost: Head, signer: Signer) -> Told:
        found = self._resets.answers.get(lost)
        if found is None or found.known.head != known.head or not found.serves(known, signer.kid, 1):
            lately = [one for one in self._resets.answers.values() if one.serves(known, signer.kid, 1)]
            if len(lately) >= MOST_RESETS:
                return Told(UNAVAILABLE, Position(lost.sequence, lost.mark))
            claims = feed.reset(self._issuer, known.head, lost, known.confirmed_at)
            found = self._resets.put(lost, _sign(claims, known, signer))
        return Told(found.answer, None)


def _continued(known: Known, position: Position | None) -> Head | None:
    """Answer where a delta can begin; None where only the whole list helps."""
    if position is None or position.sequence > known.head.sequence:
        return None
    mark = known.mark_at(position.sequence)
    if mark is None or position.mark not in {None, mark}:
        return None
    return Head(position.sequence, mark) if len(known.after(position.sequence)) <= LONGEST_DELTA else None


def _sign(claims: dict[str, Any], known: Known, signer: Signer) -> Signed:
    token = signer.sign(SECURITY_EVENT_TYP, claims).encode()
    return Signed(document(token, SECURITY_EVENT, CACHE), known, signer.kid)
