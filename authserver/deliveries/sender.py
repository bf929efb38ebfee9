"""Sends what is due: claims rows, sends each once, and writes down what came of it.

Three steps, and no transaction spans two of them, so no lock is held while an app takes its time:

1. `claim`    rows that are due, by moving them on by a lease (a transaction)
2. `deliver`  mint the token and post it (no database), then note the outcome (a transaction)

Killed in between, a row is due again when its lease is over. So an app may hear twice, and never not at all.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, Protocol

from authserver.clock import Clock
from authserver.database import Database
from authserver.deliveries import store
from authserver.deliveries.schedule import next_attempt
from authserver.deliveries.store import Claimed
from authserver.keyring.live import CannotSign
from authserver.keyring.signer import Signer
from authserver.logs import get_logger
from authserver.outgoing.requests import NotSent
from authserver.tokens.logout_token import LogoutTokens

LEASE: Final = timedelta(seconds=15)  # longer than a request can take, with its transactions
HEARD: Final = frozenset({200, 204})  # Back-Channel Logout §2.8

log = get_logger("authserver.deliveries")


class Post(Protocol):
    """What of `Outgoing` is needed."""

    def post_form(self, url: str, fields: Mapping[str, str]) -> int:
        """Post a form and answer the status."""
        ...


class Sender:
    """Safe to use from several threads, and beside other servers on the same database."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        signer: Callable[[str], Signer],
        tokens: LogoutTokens,
        post: Post,
        chance: Callable[[], float],
    ) -> None:
        self._database = database
        self._clock = clock
        self._signer = signer
        self._tokens = tokens
        self._post = post
        self._chance = chance

    def claim(self, most: int, *, under_way: Mapping[str, int], each: int) -> list[Claimed]:
        """Claim up to `most` that are due, so that no client has more than `each` under way.

        :raises DatabaseUnavailable: nothing was claimed, or it will be due again.
        """
        now = self._clock.now()
        full = [client_id for client_id, count in under_way.items() if count >= each]
        found = self._database.read(lambda db: store.due(db, now=now, but=full, limit=most))
        wanted, count = [], Counter(under_way)
        for row, client_id, seen in found:
            count[client_id] += 1
            if count[client_id] <= each:
                wanted.append((row, seen))
        if not wanted:
            return []
        return self._database.write(lambda db: store.claim(db, wanted, until=now + LEASE))

    def deliver(self, claimed: Claimed) -> None:
        """Send one, and note what came of it.

        :raises DatabaseUnavailable: it will be sent again.
        """
        error = self._send(claimed)
        now, row = self._clock.now(), claimed.delivery
        if error is None:
            self._database.write(lambda db: store.delivered(db, row.id, now=now))
            return
        again = next_attempt(row.attempts, now=now, gives_up_at=row.gives_up_at, chance=self._chance)
        dead = now if again is None else None
        self._database.write(lambda db: store.failed(db, row, error, again=again, dead=dead))
        if row.attempts == 1 or dead:
            what = (
                "an app was not told of a logout, and will not be"
                if dead
                else "an app was not told of a logout"
            )
            log.warning(what, client_id=row.client_id, delivery=row.id, cause=error)

    def _send(self, claimed: Claimed) -> str | None:
        """Answer one word for what went wrong, or None."""
        row = claimed.delivery
        if claimed.uri is None:
            return "no_uri"  # taken out of the registration meanwhile
        try:
            token = self._tokens.mint(
                self._signer(claimed.algorithm),
                row.client_id,
                self._clock.now(),
                subject=row.subject,
                session_id=row.session_id,
            )
            status = self._post.post_form(claimed.uri, {"logout_token": token})
        except CannotSign:
            return "cannot_sign"
        except NotSent as error:
            return error.code
        return None if status in HEARD else f"http_{status}"
