"""Which access tokens a service may hand in for another one (RFC 8693 §2.1), and what that one may be for at the most.

1. it is ours and has not expired, without any leeway: what is left of its life is all that the new one gets
2. it is this client's own, or was made for it (its audience)
3. it is good for a bearer, and not on the list in memory: one that is bound to a key is refused, as a service cannot
   have the key of whoever called it
4. it is good by the database as well: the new token has a later `iat`, which a cut-off that is still on its way here
   would not reach
5. those who act for its subject are not too many
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.store import Account
from authserver.authorizations.grants import Grants, TooEarly
from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.resource.principal import Principal
from authserver.sessions import store as sessions
from authserver.sessions.sign_out import not_yet
from authserver.tokens.access import FIRST_PARTY
from authserver.tokens.current import CurrentTokens
from authserver.tokens.genuine import GenuineTokens

MOST_ACTORS: Final = 4


@dataclass(frozen=True, slots=True)
class Subject:
    """A token that was good `at` that moment, for the client that handed it in."""

    principal: Principal
    client: Client
    at: datetime

    @property
    def audience(self) -> tuple[str, ...]:
        """What the new token may be for: what the client registered, or else what the old one is for."""
        return self.client.audiences or _audience(self.principal)

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the new token may do: what the old one may, of what the client may."""
        return tuple(name for name in self.client.scopes if name in self.principal.scope)

    @property
    def actor(self) -> Mapping[str, Any] | None:
        """`act` of the new token. A client that only narrows a token of its own takes nobody's place."""
        before = plain(self.principal.claims.get("act"))
        if self.principal.client_id == self.client.client_id:
            return before  # type: ignore[no-any-return]  # a mapping of ours, or None
        return {"sub": self.client.client_id, **({"act": before} if before else {})}


@dataclass(frozen=True, slots=True)
class SubjectTokens:
    """Judges the tokens that are handed in."""

    genuine: GenuineTokens
    current: CurrentTokens
    grants: Grants

    def read(self, db: Connection, unverified_token: str, client: Client, now: datetime) -> Subject | None:
        """Answer a token that this client may exchange; None for every other.

        :raises TooEarly: a token of this very second would be refused.
        """
        principal = self.genuine.read(unverified_token)
        if principal is None or principal.expires_at <= now.timestamp():
            return None
        if not _is_for(principal, client):
            return None
        listed = self.current.read(unverified_token, _audience(principal))
        if not isinstance(listed, Principal):
            return None
        subject = Subject(principal, client, now)
        if _actors(subject.actor) > MOST_ACTORS or not self._lives(db, principal, now):
            return None
        return subject

    def _lives(self, db: Connection, principal: Principal, now: datetime) -> bool:
        """Whether whoever stands behind a token still does, by the database."""
        grant_id = principal.claims.get("grant_id")
        if grant_id is not None:
            live = self.grants.find_living(db, grant_id, now)
            behind = None if live is None else live.account
        elif principal.sid is not None:
            behind = self._account_of(db, principal.sid, now)
        else:
            return _client_lives(db, principal, now)
        return behind is not None and _is_after(principal, behind) and _client_lives(db, principal, now)

    def _account_of(self, db: Connection, session_id: str, now: datetime) -> Account | None:
        """Note the use of a session, as a refresh does, and answer whose it is."""
        seen_after = self.grants.lifetime.seen_after(now)
        session = sessions.renew_by_id(db, session_id, now=now, seen_after=seen_after)
        account = accounts.by_id(db, session.account_id) if session else None
        if account is None or account.disabled_at is not None:
            return None
        if (wait := not_yet(account, now)) is not None:
            raise TooEarly(wait.until)
        return account


def _is_for(principal: Principal, client: Client) -> bool:
    own = {*client.audiences, client.client_id}
    return principal.client_id == client.client_id or not own.isdisjoint(_audience(principal))


def _is_after(principal: Principal, behind: Account | Client) -> bool:
    """Whether a token is newer than the cut-off of an account or a client, which may not be on our list yet."""
    cutoff = behind.tokens_not_before
    return cutoff is None or principal.issued_at >= cutoff.timestamp()


def _client_lives(db: Connection, principal: Principal, now: datetime) -> bool:
    """Whether the client that a token was given to may have tokens."""
    if principal.client_id == FIRST_PARTY:
        return True
    found = clients.by_id(db, principal.client_id)
    if found is None or found.client.disabled_at is not None:
        return False
    cutoff = found.client.tokens_not_before
    if cutoff is not None and cutoff > now:
        raise TooEarly(cutoff)
    return _is_after(principal, found.client)


def _audience(principal: Principal) -> tuple[str, ...]:
    audience = principal.claims["aud"]
    return (audience,) if isinstance(audience, str) else tuple(audience)


def _actors(act: Any) -> int:
    return 1 + _actors(act.get("act")) if act else 0


def plain(value: Any) -> Any:
    """Copy a claim that is read-only to the last leaf into what JSON takes."""
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, tuple) else value
