"""Signing in by password, in the order that keeps one answer and one time for every failure.

1. `begin`     count the attempt, then read the account         (a transaction: the count stays, whatever follows)
2. `check`     hash, with a dummy where there is no account      (no database; slow on purpose)
3. `complete`  look again, begin the session, note all of it     (a transaction)

The attempt is counted before the hash, so a hundred parallel guesses are a hundred attempts. `complete` locks the
account and looks again: a password changed or an account disabled during step 2 wins.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from authserver.accounts import devices
from authserver.accounts import store as accounts
from authserver.accounts.hashing import PasswordHasher
from authserver.accounts.passwords import Password, UnacceptablePassword, prepare
from authserver.accounts.store import Account
from authserver.accounts.throttling import Limits, Throttle, Wait
from authserver.accounts.usernames import InvalidUsername, Username, canonical
from authserver.audit.store import Entry, record
from authserver.clock import Clock
from authserver.opaque import Secret, hash_secret, new_id, new_secret
from authserver.sessions import store
from authserver.sessions.lifetime import Lifetime
from authserver.sessions.sign_out import NotYet, SignOut, not_yet
from authserver.sessions.status_index import with_status_index
from authserver.sessions.store import Session
from authserver.status_lists.indexes import StatusIndexes

DEVICE_LIFETIME: Final = timedelta(days=180)
NOBODY: Final = Username("")  # no canonical name: stands for every name that is none


@dataclass(frozen=True, slots=True)
class Browser:
    """What the request says of where it comes from; nothing in it is believed beyond being written down."""

    address: str
    user_agent: str | None = None
    session_secret: str | None = None
    device_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whoever claims to be an account; `account` is None for an unknown name."""

    account: Account | None
    password: Password | None
    username: Username
    browser: Browser
    device: bytes | None


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether the password fits, and its new hash where the stored one is weaker than today's."""

    candidate: Candidate
    match: bool
    better_hash: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; the secrets are for the cookies and are stored nowhere."""

    account: Account
    session: Session
    secret: Secret
    device_secret: Secret | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Failed:
    """Unknown account, wrong password or disabled account: the same to whoever asks."""


class SignIn:
    """The three steps; each database step is given an open connection and commits nothing itself."""

    def __init__(
        self,
        hasher: PasswordHasher,
        limits: Limits,
        lifetime: Lifetime,
        sign_out: SignOut,
        clock: Clock,
        status_indexes: StatusIndexes | None = None,
    ) -> None:
        self._hasher = hasher
        self._limits = limits
        self._lifetime = lifetime
        self._sign_out = sign_out
        self._clock = clock
        self._status_indexes = status_indexes

    def begin(self, db: Connection, username: str, password: str, browser: Browser) -> Candidate | Wait:
        now = self._clock.now()
        name = _canonical_or_nobody(username)
        account = accounts.by_username(db, name)
        device = devices.recognise(db, browser.device_secret, account.id if account else None, now)
        allowed = Throttle(db, now, self._limits).attempt(name, browser.address, device)
        if isinstance(allowed, Wait):
            return allowed
        return Candidate(account, _prepared_or_none(password), name, browser, device)

    def check(self, candidate: Candidate) -> Checked:
        """Hash. Takes tens of milliseconds and 19 MiB: run it where that is bounded."""
        stored = candidate.account.password_hash if candidate.account else None
        password = candidate.password
        verdict = self._hasher.verify(password or Password(""), stored if password else None)
        better = self._hasher.hash(password) if password and verdict.match and verdict.upgrade else None
        return Checked(candidate, verdict.match, better)

    def complete(self, db: Connection, checked: Checked) -> SignedIn | Failed | NotYet:
        candidate = checked.candidate
        account = self._still_right(db, checked)
        now = self._clock.now()  # after the account is held: a cut-off that was set meanwhile is before it
        if account is None:
            self.note_failure(db, candidate)
            return Failed()
        if early := not_yet(account, now):
            return early
        if checked.better_hash:
            accounts.change(db, account.id, password_hash=checked.better_hash)
        signed_in = self._again(db, account, candidate, now) or self.open_session(
            db, account, candidate.browser, now, remember=candidate.device is None
        )
        Throttle(db, now, self._limits).succeeded(
            candidate.username, candidate.browser.address, candidate.device
        )
        self._note_success(db, signed_in)
        return signed_in

    def open_session(
        self, db: Connection, account: Account, browser: Browser, now: datetime, *, remember: bool
    ) -> SignedIn:
        """Begin a session with a new id and a new secret (ASVS 7.2.4)."""
        secret = new_secret()
        begun = Session(
            id=new_id(),
            account_id=account.id,
            started_at=now,
            authenticated_at=now,
            amr=("pwd",),
            last_seen_at=now,
            expires_at=self._lifetime.expires_at(now),
            ended_at=None,
            address=browser.address,
            user_agent=(browser.user_agent or "")[:255] or None,
        )
        session = with_status_index(db, self._status_indexes, begun, now)
        store.add(db, session, hash_secret(secret))
        device_secret = devices.remember(db, account.id, now, DEVICE_LIFETIME) if remember else None
        return SignedIn(account, session, secret, device_secret, now)

    def resume(
        self, db: Connection, account_id: str, password_hash: str, browser: Browser
    ) -> SignedIn | Failed | NotYet:
        """Begin a new session for whoever has just set this password, unless it was set anew since."""
        account = accounts.locked(db, account_id)
        now = self._clock.now()
        if account is None or account.disabled_at or account.password_hash != password_hash:
            return Failed()
        if early := not_yet(account, now):
            return early
        signed_in = self.open_session(db, account, browser, now, remember=True)
        self._note_success(db, signed_in)
        return signed_in

    def _still_right(self, db: Connection, checked: Checked) -> Account | None:
        seen = checked.candidate.account
        if seen is None or not checked.match:
            return None
        account = accounts.locked(db, seen.id)
        if account is None or account.disabled_at or account.password_hash != seen.password_hash:
            return None
        return account

    def _again(
        self, db: Connection, account: Account, candidate: Candidate, now: datetime
    ) -> SignedIn | None:
        """Renew the session of whoever signs in again in the same browser; end it, if it was somebody else's.

        The secret is a new one and the old one is dead (ASVS 7.2.4). `sid` stays: an app that asked for the password
        once more (`prompt=login`) must not sign its person out of all the other apps (docs/decisions/0018).
        """
        shown = candidate.browser.session_secret
        seen_after = self._lifetime.seen_after(now)
        found = store.by_secret(db, hash_secret(shown), now=now, seen_after=seen_after) if shown else None
        if found is None:
            return None
        if found[1].id != account.id:
            self._sign_out.here(db, [found[0].id], now=now, why="session.replaced", by="account")
            return None
        secret = new_secret()
        session = replace(
            found[0],
            authenticated_at=now,
            amr=("pwd",),
            last_seen_at=now,
            expires_at=self._lifetime.expires_at(now),
        )
        store.authenticate_again(db, session, hash_secret(secret))
        known = candidate.device is not None
        device_secret = None if known else devices.remember(db, account.id, now, DEVICE_LIFETIME)
        return SignedIn(account, session, secret, device_secret, now)

    def note_failure(self, db: Connection, candidate: Candidate) -> None:
        """The name that was typed is not written down: people type their password there."""
        account_id = candidate.account.id if candidate.account else None
        now, address = self._clock.now(), candidate.browser.address
        record(db, Entry("sign_in.failed", now, "account", account_id, address=address))

    def _note_success(self, db: Connection, signed_in: SignedIn) -> None:
        session = signed_in.session
        record(
            db,
            Entry(
                "sign_in.succeeded", signed_in.at, "account", session.account_id, session.id, session.address
            ),
        )


def _canonical_or_nobody(text: str) -> Username:
    try:
        return canonical(text)
    except InvalidUsername:
        return NOBODY


def _prepared_or_none(text: str) -> Password | None:
    try:
        return prepare(text)
    except UnacceptablePassword:
        return None
