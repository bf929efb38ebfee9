"""The session that a cookie opens, and its renewal: one read, and one write where there is something to note."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.store import Account
from authserver.clock import Clock
from authserver.opaque import hash_secret
from authserver.sessions import store
from authserver.sessions.lifetime import Lifetime
from authserver.sessions.sign_out import NotYet, not_yet
from authserver.sessions.status_index import with_status_index
from authserver.sessions.store import Session
from authserver.status_lists.indexes import StatusIndexes


@dataclass(frozen=True, slots=True)
class Current:
    """A living session and its account, as of `at`: a token for it carries `iat` = `at`."""

    session: Session
    account: Account
    at: datetime


class CurrentSessions:
    """Finds living sessions by the secret in their cookie."""

    def __init__(self, lifetime: Lifetime, clock: Clock, status_indexes: StatusIndexes | None = None) -> None:
        self.lifetime = lifetime
        self._clock = clock
        self._status_indexes = status_indexes

    def find(self, db: Connection, secret: str) -> Current | None:
        now = self._clock.now()
        found = store.by_secret(db, hash_secret(secret), now=now, seen_after=self.lifetime.seen_after(now))
        return None if found is None else Current(*found, now)

    def find_by_id(self, db: Connection, session_id: str) -> Current | None:
        """Find a living session by what a token of its says; one that was signed out is no session any more."""
        now = self._clock.now()
        found = store.by_id(db, session_id, now=now, seen_after=self.lifetime.seen_after(now))
        return None if found is None else Current(*found, now)

    def refresh(self, db: Connection, secret: str) -> Current | NotYet | None:
        """Note the use of a session, then read its account: one write and one read, in this order.

        The write waits for a sign-out or a change of roles that is under way, so the read sees what came of it; and
        whoever comes later waits for us, and finds our moment in `last_seen_at` when it sets its cut-off.
        """
        now = self._clock.now()
        session = store.renew(db, hash_secret(secret), now=now, seen_after=self.lifetime.seen_after(now))
        account = accounts.by_id(db, session.account_id) if session else None
        if session is None or account is None or account.disabled_at:
            return None
        return not_yet(account, now) or Current(self._with_status_index(db, session, now), account, now)

    def _with_status_index(self, db: Connection, session: Session, now: datetime) -> Session:
        """Not in the one write: almost every session has its index, and keeps it."""
        found = with_status_index(db, self._status_indexes, session, now)
        if found.status_index is not None and found is not session:
            store.set_status_index(db, session.id, found.status_index)
        return found

    def note_use(self, db: Connection, current: Current) -> None:
        now = current.at
        store.touch(db, current.session.id, now=now, seen_after=self.lifetime.seen_after(now))
