"""GET /status-lists and /status-lists/{n}: Token Status Lists, for verifiers without our library (docs/services).

Lists are signed beside the requests, by the key that signs tokens: when a bit has changed, when the key has, and when
half of `ttl` has passed. A request costs a look-up, and is answered while the database is away. A list stays good for
as long as any token lives (`exp`): while we are away nobody can sign out, so our outage need not become everybody's
(the argument of resource/freshness.py). Who wants it younger goes by `iat`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs

from starlette.types import Scope

from authserver.keyring.live import CannotSign, LiveKeyring
from authserver.keyring.signer import Signer
from authserver.protocol import paths
from authserver.protocol.media import JSON, STATUS_LIST, STATUS_LIST_TYP
from authserver.published.documents import (
    Document,
    Source,
    document,
    json_document,
    refusal,
    unavailable,
)
from authserver.status_lists import claims
from authserver.status_lists.indexes import MOST_LISTS
from authserver.status_lists.live import LiveStatusLists

NO_TIME: Final = timedelta(0)
UNAVAILABLE: Final = unavailable("There is no signed status list yet.")
NO_LIST: Final = refusal(404, "not_found", "There is no such status list.")
NO_HISTORY: Final = refusal(501, "not_implemented", "Only the present status is told, not that of a time.")


@dataclass(frozen=True, slots=True)
class Signed:
    """A list, what it was made from, and by which key."""

    answer: Document
    version: int
    confirmed_at: datetime
    kid: str


class StatusLists:
    """Signs what `LiveStatusLists` knows, and answers from that."""

    def __init__(
        self,
        issuer: str,
        algorithm: str,
        keyring: LiveKeyring,
        live: LiveStatusLists,
        *,
        ttl: timedelta,
        good_for: timedelta,
    ) -> None:
        self._issuer = issuer
        self._algorithm = algorithm
        self._keyring = keyring
        self._live = live
        self._ttl = ttl
        self._good_for = good_for
        self._cache = f"public, max-age={int(ttl.total_seconds())}"
        self._signed: dict[int, Signed] = {}
        self._aggregation = UNAVAILABLE

    def sources(self) -> dict[str, Source]:
        """Answer every path that may ever have a list: there is an end to them."""
        lists = {f"{paths.STATUS_LISTS}/{number}": self._source(number) for number in range(MOST_LISTS)}
        return {paths.STATUS_LISTS: lambda _scope: self._aggregation, **lists}

    def refresh(self) -> None:
        """Look for changes, and sign what is due.

        :raises DatabaseUnavailable: the lists that are signed stay.
        """
        self._live.refresh()
        try:
            signer = self._keyring.signer(self._algorithm)
        except CannotSign:
            return
        for number in range(len(self._live.lists)):
            if self._due(number, signer):
                self._signed[number] = self._sign(number, signer)
        self._aggregate()

    def _due(self, number: int, signer: Signer) -> bool:
        found = self._signed.get(number)
        if found is None or found.kid != signer.kid or found.version != self._live.lists[number].version:
            return True
        age = self._live.confirmed_at - found.confirmed_at
        return not NO_TIME <= age < self._ttl / 2  # less than none: the clock was ahead, and was set back

    def _sign(self, number: int, signer: Signer) -> Signed:
        bits, confirmed_at = self._live.lists[number], self._live.confirmed_at
        version, lst = bits.version, bits.encoded()
        said = claims.status_list(
            self._issuer, number, lst, confirmed_at=confirmed_at, ttl=self._ttl, good_for=self._good_for
        )
        token = signer.sign(STATUS_LIST_TYP, said).encode()
        return Signed(document(token, STATUS_LIST, self._cache), version, confirmed_at, signer.kid)

    def _aggregate(self) -> None:
        uris = [claims.list_uri(self._issuer, number) for number in sorted(self._signed)]
        self._aggregation = json_document({"status_lists": uris}, JSON, self._cache)

    def _source(self, number: int) -> Source:
        def answer(scope: Scope) -> Document:
            if scope["query_string"] and "time" in parse_qs(
                scope["query_string"].decode("latin-1"), keep_blank_values=True
            ):
                return NO_HISTORY
            found = self._signed.get(number)
            if found is None:
                return NO_LIST if self._signed else UNAVAILABLE
            return found.answer

        return answer
