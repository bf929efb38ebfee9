"""Ending sessions, and telling resource services: the session's end and its revocation are one transaction.

`here` ends chosen sessions and writes one `sid` entry for each. `everywhere` ends all of an account's and writes a
single `sub` entry with a cut-off. The cut-off is the next whole second, because `iat` counts whole seconds: every
token given out until now is older, and `tokens_not_before` keeps a token of the same second from being given out
afterwards (`NotYet`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.audit.store import Actor, Entry, record
from authserver.clock import seconds
from authserver.protocol.revocation import Kind
from authserver.revocations import store as revocations
from authserver.sessions import store
from authserver.sessions.store import Ended
from authserver.subjects import store as subjects


@dataclass(frozen=True, slots=True)
class NotYet:
    """No token may be given out before this moment, at most a second away: a sign-out everywhere came just before."""

    until: datetime


class Tell(Protocol):
    """Sees to it that the apps of ended sessions hear of it, in the same transaction (deliveries/telling.py)."""

    def __call__(
        self, db: Connection, ended: Sequence[Ended], now: datetime, *, account_id: str | None = None
    ) -> None:
        """`account_id`: all of this account is over, not these sessions alone."""
        ...


@dataclass(frozen=True, slots=True)
class SignOut:
    """Ends sessions. `tokens_live` is how long after now a token may still be alive, clock skew included."""

    tokens_live: timedelta
    tell: Tell
    status_lists: bool = False

    def here(
        self,
        db: Connection,
        session_ids: Iterable[str],
        *,
        now: datetime,
        why: str,
        by: Actor,
        address: str | None = None,
    ) -> list[str]:
        """End sessions and answer which had been alive; the others are left as they are."""
        ended = store.end(db, session_ids, now=now)
        self.tell(db, ended, now)
        for session in ended:
            revocations.append(db, Kind.SID, session.id, now=now, expires_at=now + self.tokens_live)
        for session in ended:
            record(db, Entry(why, now, by, session.account_id, session.id, address))
        return [session.id for session in ended]

    def everywhere(
        self,
        db: Connection,
        account_id: str,
        *,
        now: datetime,
        why: str,
        by: Actor,
        address: str | None = None,
    ) -> list[str]:
        """End every session and every token of an account; answer which sessions had been alive."""
        cutoff = _cut_off(db, account_id, now)
        ended = store.end_all(db, account_id, now=now)
        accounts.change(db, account_id, signed_out_at=now)
        self.tell(db, ended, now, account_id=account_id)
        self._revoke(db, account_id, cutoff, now)
        record(db, Entry(why, now, by, account_id, address=address, detail={"sessions": len(ended)}))
        return [session.id for session in ended]

    def cut_off_tokens(self, db: Connection, account_id: str, *, now: datetime) -> None:
        """End every token given out until now, and leave the sessions: they are worth a new one."""
        cutoff = _cut_off(db, account_id, now)
        if (
            self.status_lists
        ):  # a status is not told by `iat`: what comes after the cut-off needs another index
            store.drop_status_indexes(db, account_id)
        self._revoke(db, account_id, cutoff, now)

    def _revoke(self, db: Connection, account_id: str, cutoff: datetime, now: datetime) -> None:
        """List the account under every name that its tokens give it; nobody is given a new name meanwhile that a
        token could carry: who signs one holds the account, as we do (docs/decisions/0020).
        """
        until = now + self.tokens_live
        for name in (*subjects.of_account(db, account_id), account_id):
            revocations.append(db, Kind.SUB, name, now=now, expires_at=until, before=cutoff)


def _cut_off(db: Connection, account_id: str, now: datetime) -> datetime:
    """Hold the account and its sessions, and write a cut-off that no token given out until now can reach.

    `now` was read before anything was held, and another server's clock may be ahead: the newest use of a session is
    as late as any `iat`. Locks are taken in the order account, sessions, clients, list, audit log.
    """
    accounts.locked(db, account_id)
    newest = max(now, store.newest_use(db, account_id) or now)
    cutoff = datetime.fromtimestamp(seconds(newest) + 1, UTC)
    accounts.change(db, account_id, tokens_not_before=cutoff)
    return cutoff


def not_yet(account: accounts.Account, now: datetime) -> NotYet | None:
    """Say whether a token given out now would fall under the account's own cut-off."""
    cutoff = account.tokens_not_before
    return NotYet(cutoff) if cutoff is not None and cutoff > now else None
