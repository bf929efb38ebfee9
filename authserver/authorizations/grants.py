"""Codes and refresh tokens: given out once, claimed once, and what is stolen ends what it came from.

Each step runs in one transaction and refuses by returning None: the end of a family is evidence, and a raised refusal
would roll it back. The session is renewed before anything is claimed, so that a sign-out which is under way comes
first, and one that comes later finds our moment in `last_seen_at` (sessions/sign_out.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from authserver.accounts.store import Account
from authserver.audit.store import Entry, record
from authserver.authorizations import refresh_tokens, store
from authserver.authorizations.refresh_tokens import REPEAT, Family
from authserver.authorizations.store import Authorization
from authserver.opaque import SecretHash, hash_secret, new_id, new_secret
from authserver.protocol.revocation import Kind
from authserver.revocations import store as revocations
from authserver.sessions import store as sessions
from authserver.sessions.current import Current
from authserver.sessions.lifetime import Lifetime
from authserver.sessions.sign_out import not_yet
from authserver.subjects import store as subjects

CODE_LIFETIME: Final = timedelta(seconds=60)  # ASVS 10.4.3, FAPI 2.0 §5.3.2.1
ACR: Final = "1"  # one factor


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a person lets a client do: the checked part of an authorization request."""

    client_id: str
    scope: str
    audience: Sequence[str]
    redirect_uri: str | None  # as it was sent
    code_challenge: str | None
    nonce: str | None
    claims: dict[str, Any]
    key_thumbprint: str | None
    offline: bool
    sector: str | None  # whose name for the person its tokens carry; None: the account's id


class Live(NamedTuple):
    """An authorization that is good `at` that moment, for this account; a token for it carries `iat` = `at`."""

    authorization: Authorization
    account: Account
    at: datetime

    @property
    def subject(self) -> str:
        """`sub` of every token of it: the same for as long as it goes on (OIDC Core §12.2)."""
        return self.authorization.subject or self.account.id


class TooEarly(Exception):
    """No token may be given out before this moment, at most a second away; nothing was claimed."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


@dataclass(frozen=True, slots=True)
class Grants:
    """Gives out codes and refresh tokens, and takes them back."""

    lifetime: Lifetime  # of sessions
    refresh_lifetime: timedelta
    tokens_live: timedelta

    def issue_code(self, db: Connection, allowed: Allowed, who: Current) -> str:
        """Write an authorization, and answer its code."""
        secret = new_secret()
        grant_id = self.issue(db, allowed, who, hash_secret(secret), until=who.at + CODE_LIFETIME)
        return f"{grant_id}.{secret}"

    def issue(
        self, db: Connection, allowed: Allowed, who: Current, secret_hash: SecretHash, *, until: datetime
    ) -> str:
        """Write an authorization for whoever has a secret already, as a device has; answer its id."""
        grant_id = new_id()
        made = Authorization(
            id=grant_id,
            client_id=allowed.client_id,
            account_id=who.account.id,
            session_id=who.session.id,
            offline=allowed.offline,
            scope=allowed.scope,
            audience=allowed.audience,
            redirect_uri=allowed.redirect_uri,
            code_challenge=allowed.code_challenge,
            nonce=allowed.nonce,
            claims=allowed.claims,
            acr=ACR,
            amr=who.session.amr,
            authenticated_at=who.session.authenticated_at,
            key_thumbprint=allowed.key_thumbprint,
            code_hash=secret_hash,
            code_expires_at=until,
            code_used_at=None,
            refresh_key=None,
            refresh_hash=None,
            previous_hash=None,
            rotated_at=None,
            created_at=who.at,
            expires_at=until,
            ended_at=None,
            subject=_subject(db, allowed, who),
        )
        store.add(db, made)
        return grant_id

    def find_code(self, db: Connection, code: str, client_id: str, now: datetime) -> Live | None:
        """Answer what an unused code is good for. One that was used ends all that came of it (RFC 6749 §4.1.2)."""
        grant_id, _, secret = code.partition(".")
        found = store.hold(db, grant_id)
        if found is None or not refresh_tokens.is_hash_of(found.authorization.code_hash, secret):
            return None
        held = found.authorization
        if held.client_id != client_id:
            return None
        if held.code_used_at is not None:
            self.end(db, held, now=now, why="authorization.code_reused")
            return None
        return self._live(db, held, found.account, now) if now < held.code_expires_at else None

    def use_code(
        self, db: Connection, live: Live, *, refreshable: bool, refresh_lifetime: timedelta | None = None
    ) -> tuple[str | None] | None:
        """Claim a code; answer its refresh token, if there shall be one. None: another was faster.

        :param refresh_lifetime: of this client, where it is other than the server's.
        """
        held, now = live.authorization, live.at
        family, secret = Family.begin(held.id)
        kept = (family.key, refresh_tokens.hashed(secret)) if refreshable else None
        until = now + ((refresh_lifetime or self.refresh_lifetime) if refreshable else self.tokens_live)
        if not store.use_code(db, held.id, now=now, until=until, refresh=kept):
            self.end(db, held, now=now, why="authorization.code_reused")
            return None
        return (family.token(secret) if refreshable else None,)

    def bind(self, db: Connection, live: Live, thumbprint: str) -> None:
        """Bind the refresh tokens of a public client to its key (RFC 9449 §5): stolen, they are worth nothing."""
        if live.authorization.key_thumbprint != thumbprint:
            store.bind(db, live.authorization.id, thumbprint)

    def find_refresh(self, db: Connection, token: str, client_id: str, now: datetime) -> Live | None:
        """Answer what a refresh token is good for. One that was rotated away, and longer ago than a repeat takes,
        was stolen from somebody or by somebody: it ends the family (RFC 9700 §4.14.2).
        """
        shown = refresh_tokens.parse(token)
        found = store.hold(db, shown.grant_id) if shown else None
        if shown is None or found is None or found.authorization.client_id != client_id:
            return None
        held = found.authorization
        if held.ended_at is not None or held.refresh_key is None or now >= held.expires_at:
            return None
        if not Family(held.id, held.refresh_key).made(shown):
            return None
        if not _is_current(held, shown.secret) and not _is_repeat(held, shown.secret, now):
            self.end(db, held, now=now, why="authorization.refresh_token_reused")
            return None
        return self._live(db, held, found.account, now)

    def look_at_refresh(self, db: Connection, token: str, client_id: str, now: datetime) -> Live | None:
        """Answer what a refresh token would be good for, and change nothing: not even a stolen one ends anything."""
        shown = refresh_tokens.parse(token)
        found = store.look(db, shown.grant_id) if shown else None
        if shown is None or found is None or found.authorization.client_id != client_id:
            return None
        held, account = found
        if now >= held.expires_at or not _still_counts(held, account):
            return None
        if not _is_current(held, shown.secret) and not _is_repeat(held, shown.secret, now):
            return None
        seen_after = self.lifetime.seen_after(now)
        session = sessions.by_id(db, held.session_id, now=now, seen_after=seen_after)
        return Live(held, account, now) if session is not None or held.offline else None

    def end_by_refresh(self, db: Connection, token: str, client_id: str, now: datetime) -> bool:
        """End the authorization that a refresh token is of, be it the newest or an older one (RFC 7009 §2.1)."""
        shown = refresh_tokens.parse(token)
        found = store.hold(db, shown.grant_id) if shown else None
        if shown is None or found is None or found.authorization.client_id != client_id:
            return False
        held = found.authorization
        if held.refresh_key is None or not Family(held.id, held.refresh_key).made(shown):
            return False
        self.end(db, held, now=now, why="authorization.revoked")
        return True

    def use_refresh(self, db: Connection, live: Live, token: str, *, rotate: bool) -> str:
        """Put the next refresh token in the place of this one and answer it: of several at once, all get the same."""
        held, shown = live.authorization, refresh_tokens.parse(token)
        if not rotate or shown is None or held.refresh_key is None:
            return token
        family = Family(held.id, held.refresh_key)
        secret = family.next_secret(shown.secret)
        before, after = refresh_tokens.hashed(shown.secret), refresh_tokens.hashed(secret)
        store.rotate(db, held.id, before, after, now=live.at)
        return family.token(secret)

    def find_living(self, db: Connection, grant_id: str, now: datetime) -> Live | None:
        """Answer an authorization whose access tokens still count, by the database: a revocation may be on its way."""
        found = store.hold(db, grant_id)
        if found is None or now >= found.authorization.expires_at:
            return None
        return self._live(db, found.authorization, found.account, now)

    def end(self, db: Connection, held: Authorization, *, now: datetime, why: str) -> None:
        """End an authorization and every token of it, here and at every resource service."""
        if not store.end(db, held.id, now=now):
            return
        revocations.append(db, Kind.GRANT_ID, held.id, now=now, expires_at=now + self.tokens_live)
        detail = {"client_id": held.client_id, "grant_id": held.id}
        record(db, Entry(why, now, "server", held.account_id, held.session_id, detail=detail))

    def end_of_client(
        self, db: Connection, account_id: str, client_id: str, *, now: datetime, why: str
    ) -> int:
        """End all that an account let a client do, and every token of it; answer how many there were."""
        ended = store.end_of_client(db, account_id, client_id, now=now)
        for grant_id in ended:
            revocations.append(db, Kind.GRANT_ID, grant_id, now=now, expires_at=now + self.tokens_live)
        detail = {"client_id": client_id, "grants": len(ended)}
        record(db, Entry(why, now, "account", account_id, detail=detail))
        return len(ended)

    def _live(self, db: Connection, held: Authorization, account: Account, now: datetime) -> Live | None:
        if not _still_counts(held, account):
            return None
        if (wait := not_yet(account, now)) is not None:
            raise TooEarly(wait.until)
        seen_after = self.lifetime.seen_after(now)
        session = sessions.renew_by_id(db, held.session_id, now=now, seen_after=seen_after)
        goes_on = held.offline and held.code_used_at is not None
        return Live(held, account, now) if session is not None or goes_on else None


def _subject(db: Connection, allowed: Allowed, who: Current) -> str | None:
    return allowed.sector and subjects.subject(db, who.account.id, allowed.sector, now=who.at)


def _still_counts(held: Authorization, account: Account) -> bool:
    """Whether nobody ended it: neither it alone, nor all that its account ever allowed."""
    if held.ended_at is not None or account.disabled_at is not None:
        return False
    return account.signed_out_at is None or held.created_at > account.signed_out_at


def _is_current(held: Authorization, secret: str) -> bool:
    return refresh_tokens.is_hash_of(held.refresh_hash, secret)


def _is_repeat(held: Authorization, secret: str, now: datetime) -> bool:
    """Whether this is the token before, and its successor was made just now."""
    recent = held.rotated_at is not None and now - held.rotated_at <= REPEAT
    return recent and refresh_tokens.is_hash_of(held.previous_hash, secret)
