"""GET /revocations: the list as a signed snapshot, or with `?since=` as a signed delta (PRODUCT §4).

Each answer is a Security Event Token signed by the active key (protocol/revocation.py). `iat` is when the database
last confirmed the list, so a reader knows how fresh its knowledge is, and nothing is signed while the database is
away. Answers are signed once for all readers: until the list changes, or a second has passed.
"""

from typing import Final
from urllib.parse import parse_qs

from starlette.types import Scope

from authserver.keyring.live import CannotSign, LiveKeyring
from authserver.protocol.media import JSON, SECURITY_EVENT, SECURITY_EVENT_TYP
from authserver.published.documents import Document, document, json_document
from authserver.revocations import feed
from authserver.revocations.live import Known, LiveRevocations

CACHE: Final = "no-cache"
MOST_KEPT: Final = 256
LONGEST_NUMBER: Final = 18
UNAVAILABLE: Final = json_document(
    {"error": "temporarily_unavailable", "message": "The revocation list cannot be confirmed now."},
    JSON,
    "no-store",
    503,
)
BAD_SINCE: Final = json_document(
    {"error": "invalid_request", "message": "since must be one whole number, the sequence that you know."},
    JSON,
    "no-store",
    400,
)


class RevocationsDocument:
    """Signs what `LiveRevocations` knows, and remembers it for the other readers."""

    def __init__(self, issuer: str, algorithm: str, keyring: LiveKeyring, live: LiveRevocations) -> None:
        self._issuer = issuer
        self._algorithm = algorithm
        self._keyring = keyring
        self._live = live
        self._signed_from: Known | None = None
        self._signed: dict[tuple[int | None, str], Document] = {}

    def __call__(self, scope: Scope) -> Document:
        since = _since(scope["query_string"])
        if isinstance(since, Document):
            return since
        known = self._live.known
        if known is None:
            return UNAVAILABLE
        if since is not None and since > known.head.sequence:
            since = None  # the reader knows a future that we do not: a restored database; it starts anew
        try:
            return self._remembered(known, since)
        except CannotSign:
            return UNAVAILABLE

    def _remembered(self, known: Known, since: int | None) -> Document:
        signer = self._keyring.signer(self._algorithm)
        if not self._is_current(known):
            self._signed_from, self._signed = known, {}
        key = (since, signer.kid)
        found = self._signed.get(key)
        if found is None:
            entries = known.entries if since is None else known.after(since)
            claims = feed.claims(
                self._issuer, known.head, entries, since=since, confirmed_at=known.confirmed_at
            )
            found = document(signer.sign(SECURITY_EVENT_TYP, claims).encode(), SECURITY_EVENT, CACHE)
            if len(self._signed) < MOST_KEPT:
                self._signed[key] = found
        return found

    def _is_current(self, known: Known) -> bool:
        signed = self._signed_from
        return (
            signed is not None
            and signed.head == known.head
            and (known.confirmed_at - signed.confirmed_at).total_seconds() < 1
        )


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
