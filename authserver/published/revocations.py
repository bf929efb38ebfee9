"""What the revocation feed says to a reader: the list as a signed snapshot, delta or reset (PRODUCT §4).

Each answer is a Security Event Token signed by the active key (protocol/revocation.py). `iat` is when the database
last confirmed the list, so a reader knows how fresh its knowledge is, and nothing is signed while the database is
away. Answers are signed once for all readers: until the list changes, or a second has passed.

Anybody may ask, from anywhere in the list, so what strangers can make us sign is limited. Who follows stands where the
list was told to end: at one of its last heads, or where the kept snapshot ends. From there a delta is always signed.
Of other places there are so many a second; beyond that a reader is told the whole list, the same one as everybody else.
"""

from typing import Any, Final

from authserver.keyring.live import CannotSign, LiveKeyring
from authserver.keyring.signer import Signer
from authserver.protocol.media import SECURITY_EVENT, SECURITY_EVENT_TYP
from authserver.published.documents import document, unavailable
from authserver.published.kept import Budget, Shelf, Signed, Told
from authserver.published.readers import Position
from authserver.revocations import feed
from authserver.revocations.live import Known, LiveRevocations
from authserver.revocations.store import Head

CACHE: Final = "no-cache"
# Entries; whoever is further behind starts anew, and all of those share one answer.
LONGEST_DELTA: Final = 1_000
LARGE: Final = 1_000  # entries of a list whose snapshot is long work, and not worth it every second
LARGE_LASTS: Final = 5.0  # seconds
MOST_RESETS: Final = 20  # signed in a second: whoever invents positions must not keep us busy
MOST_DELTAS: Final = 20  # signed in a second from where nobody was told to stand: 4 ms each at the most
UNAVAILABLE: Final = unavailable("The revocation list cannot be confirmed now.")


class RevocationFeed:
    """Signs what `LiveRevocations` knows, and remembers it for the other readers."""

    def __init__(self, issuer: str, algorithm: str, keyring: LiveKeyring, live: LiveRevocations) -> None:
        self._issuer = issuer
        self._algorithm = algorithm
        self._keyring = keyring
        self._live = live
        self._snapshot: Signed | None = None
        self._deltas = Shelf()
        self._budget = Budget(MOST_DELTAS)
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
        """Say whether to answer would keep the event loop from everybody else: `prepare` first, in a thread."""
        known, signer = self._live.known, self._signer()
        if known is None or signer is None or len(known.entries) <= LARGE:
            return False
        since = _continued(known, position)
        return not (since and self._has_delta(known, since, signer)) and self._kept(known, signer) is None

    def prepare(self) -> None:
        """Sign the whole list, unless the one that is kept still serves."""
        known, signer = self._live.known, self._signer()
        if known is not None and signer is not None:
            self._whole(known, signer)

    def tell(self, position: Position | None) -> Told:
        """Answer what a reader at `position` must hear. Look at the database before, if it `is_ahead`."""
        known, signer = self._live.known, self._signer()
        if known is None or signer is None:
            return Told(UNAVAILABLE, position)
        if position is not None and position.mark and position.sequence > known.head.sequence:
            return self._reset(known, Head(position.sequence, position.mark), signer)
        since = _continued(known, position)
        if since is not None and self._has_delta(known, since, signer):
            return self._delta(known, since, signer).told()
        whole = self._whole(known, signer)
        if since is not None and whole.known.head.sequence < since.sequence:
            return Told(UNAVAILABLE, position)  # never back: within some seconds there is one that leads on
        return whole.told()

    def _signer(self) -> Signer | None:
        try:
            return self._keyring.signer(self._algorithm)
        except CannotSign:
            return None

    def _whole(self, known: Known, signer: Signer) -> Signed:
        found = self._kept(known, signer)
        if found is None:
            claims = feed.claims(
                self._issuer, known.head, known.entries, since=None, confirmed_at=known.confirmed_at
            )
            self._snapshot = found = _sign(claims, known, signer)
        return found

    def _kept(self, known: Known, signer: Signer) -> Signed | None:
        """Answer the kept snapshot; that of a long list may be some seconds old while one delta leads on from it."""
        kept = self._snapshot
        if kept is None:
            return None
        if len(known.entries) <= LARGE:
            good = kept.known.head == known.head and kept.serves(known, signer.kid, 1)
        else:
            good = kept.serves(known, signer.kid, LARGE_LASTS) and _continued(known, kept.place) is not None
        return kept if good else None

    def _has_delta(self, known: Known, since: Head, signer: Signer) -> bool:
        """Say whether there is a delta from here, or may be one."""
        if self._kept_delta(known, since, signer) or self._was_told(known, since):
            return True
        return self._budget.has_left(known.confirmed_at)

    def _was_told(self, known: Known, since: Head) -> bool:
        """Say whether readers of ours stand here: these are few places, whatever anybody asks for."""
        told = (known.head, *known.past)
        return since in told or (self._snapshot is not None and since == self._snapshot.known.head)

    def _kept_delta(self, known: Known, since: Head, signer: Signer) -> Signed | None:
        found = self._deltas.answers.get(since)
        if found is None or found.known.head != known.head or not found.serves(known, signer.kid, 1):
            return None
        return found

    def _delta(self, known: Known, since: Head, signer: Signer) -> Signed:
        found = self._kept_delta(known, since, signer)
        if found is not None:
            return found
        if not self._was_told(known, since):
            self._budget.spend(known.confirmed_at)
        entries = known.after(since.sequence)
        claims = feed.claims(self._issuer, known.head, entries, since=since, confirmed_at=known.confirmed_at)
        return self._deltas.put(since, _sign(claims, known, signer))

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
    return Head(position.sequence, mark) if known.count_after(position.sequence) <= LONGEST_DELTA else None


def _sign(claims: dict[str, Any], known: Known, signer: Signer) -> Signed:
    token = signer.sign(SECURITY_EVENT_TYP, claims).encode()
    return Signed(document(token, SECURITY_EVENT, CACHE), known, signer.kid)
