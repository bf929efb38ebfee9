"""Invitations: who has one may register a client, so often, until then, and with these scopes (RFC 7591 §1.2, §3).

Registration is never open to everybody: a flood of clients is bounded by what the operator gave out (SECURITY O70).
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from authserver.clients.invited import store
from authserver.clients.invited.store import Invitation
from authserver.opaque import Secret, hash_secret, new_id, new_secret


def invite(
    db: Connection, *, uses: int, lasting: timedelta, scope: str, now: datetime
) -> tuple[Invitation, Secret]:
    """Make an invitation; its initial access token is in nobody's hands but the caller's."""
    made, token = Invitation(new_id(), now, now + lasting, uses, scope), new_secret()
    store.add(db, made, hash_secret(token))
    return made, token


def find(db: Connection, unverified_token: str, now: datetime) -> Invitation | None:
    """Answer an invitation that is still good, and leave it so."""
    return store.invitation_by(db, hash_secret(unverified_token), now=now)


def use(db: Connection, found: Invitation, now: datetime) -> bool:
    """Claim one use; answer False if others took the last one."""
    return store.use(db, found.id, now=now)
