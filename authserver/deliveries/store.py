"""Every statement of the table of deliveries, and of who is to be told.

A row whose turn has come is claimed by an UPDATE that moves `due_at` on: of several servers one wins, nobody holds a
lock while a request is under way, and what a killed server had claimed is due again when its time is up.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, or_, select, update

from authserver.authorizations.models import authorization
from authserver.clients.models import client
from authserver.database import announce
from authserver.deliveries.models import delivery
from authserver.opaque import new_id


class ToTell(NamedTuple):
    """An app that has to hear of the end of a session, or of all sessions of the account where that is None."""

    client_id: str
    account_id: str
    session_id: str | None
    subject: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One line of the ledger. `due_at` is None when there is nothing more to do."""

    id: str
    kind: str
    client_id: str
    account_id: str
    session_id: str | None
    subject: str
    created_at: datetime
    due_at: datetime | None
    gives_up_at: datetime
    attempts: int
    last_error: str | None
    delivered_at: datetime | None
    dead_at: datetime | None

    @property
    def state(self) -> str:
        if self.delivered_at is not None:
            return "delivered"
        return "waiting" if self.dead_at is None else "given up"


class Claimed(NamedTuple):
    """A delivery that is ours until `delivery.due_at`, and what its app registered: where, and signed by what."""

    delivery: Delivery
    uri: str | None
    algorithm: str


class Frame(NamedTuple):
    """A page of an app that ends its session when it is loaded (OpenID Connect Front-Channel Logout 1.0 §2)."""

    uri: str
    with_session: bool


COLUMNS: Final = tuple(delivery.c[field.name] for field in fields(Delivery))

# An app whose code was never used has nothing to end. One that is disabled is told: its sessions may live on.
_USED: Final = and_(
    authorization.c.client_id == client.c.client_id,
    authorization.c.code_used_at.is_not(None),
)
_LISTENS: Final = and_(_USED, client.c.backchannel_logout_uri.is_not(None))
_WANTS_SESSION: Final = client.c.backchannel_logout_session_required
_SUBJECT: Final = func.coalesce(authorization.c.subject, authorization.c.account_id)
_OF_SESSIONS: Final = (
    select(authorization.c.client_id, authorization.c.account_id, authorization.c.session_id, _SUBJECT)
    .distinct()
    .where(_LISTENS, authorization.c.session_id.in_(bindparam("sids", expanding=True)))
)
_OF_ACCOUNT: Final = (
    select(
        authorization.c.client_id,
        authorization.c.session_id,
        authorization.c.offline,
        _SUBJECT,
        _WANTS_SESSION,
    )
    .distinct()
    .where(_LISTENS, authorization.c.account_id == bindparam("account"))
)
_FRAMES: Final = (
    select(client.c.frontchannel_logout_uri, client.c.frontchannel_logout_session_required)
    .distinct()
    .where(
        _USED,
        authorization.c.session_id == bindparam("sid"),
        client.c.frontchannel_logout_uri.is_not(None),
    )
)
_CLAIM: Final = (
    update(delivery)
    .where(delivery.c.id == bindparam("row"), delivery.c.due_at == bindparam("seen"))
    .values(due_at=bindparam("until"), attempts=delivery.c.attempts + 1)
)
_CLAIMED: Final = (
    select(*COLUMNS, client.c.backchannel_logout_uri, client.c.id_token_signed_response_alg)
    .join(client, client.c.client_id == delivery.c.client_id)
    .where(delivery.c.id.in_(bindparam("rows", expanding=True)))
)
_DELIVERED: Final = (
    update(delivery)
    .where(delivery.c.id == bindparam("row"))
    .values(delivered_at=bindparam("now"), due_at=None, dead_at=None, last_error=None)
)
_FAILED: Final = (
    update(delivery)
    .where(delivery.c.id == bindparam("row"), delivery.c.due_at == bindparam("seen"))
    .values(due_at=bindparam("again"), dead_at=bindparam("dead"), last_error=bindparam("error"))
)


def apps_of_sessions(db: Connection, session_ids: Iterable[str]) -> list[ToTell]:
    """Answer the apps that people signed in to in these sessions and that want to hear."""
    return [ToTell(*row) for row in db.execute(_OF_SESSIONS, {"sids": list(session_ids)})]


def apps_of_account(db: Connection, account_id: str, ended: Collection[str]) -> list[ToTell]:
    """Answer the apps of an account: each once, but once for each session where it needs to know which.

    Those are the sessions that have just ended, and older ones that an app goes on with offline.
    """
    found = (
        ToTell(app, account_id, sid if by_sid else None, subject)
        for app, sid, offline, subject, by_sid in db.execute(_OF_ACCOUNT, {"account": account_id})
        if not by_sid or offline or sid in ended
    )
    return list(dict.fromkeys(found))


def frames(db: Connection, session_id: str) -> list[Frame]:
    """Answer the pages of apps that end their part of a session."""
    return [Frame(*row) for row in db.execute(_FRAMES, {"sid": session_id})]


def add(db: Connection, kind: str, whom: Sequence[ToTell], *, now: datetime, gives_up_at: datetime) -> None:
    """Write who has to be told; the first attempt is due at once."""
    if not whom:
        return
    same = {"kind": kind, "created_at": now, "due_at": now, "gives_up_at": gives_up_at, "attempts": 0}
    db.execute(insert(delivery), [{"id": new_id(), **same, **each._asdict()} for each in whom])


def due(
    db: Connection, *, now: datetime, but: Collection[str] = (), limit: int
) -> list[tuple[str, str, datetime]]:
    """Answer id, client and time of what is due, what was tried least first; nothing of the clients `but`."""
    query = (
        select(delivery.c.id, delivery.c.client_id, delivery.c.due_at)
        .where(delivery.c.due_at <= now, delivery.c.client_id.not_in(list(but)))
        .order_by(delivery.c.attempts, delivery.c.due_at)
        .limit(limit)
    )
    return [(row.id, row.client_id, row.due_at) for row in db.execute(query)]


def claim(db: Connection, wanted: Iterable[tuple[str, datetime]], *, until: datetime) -> list[Claimed]:
    """Claim rows by their id and the time at which they were seen due; answer those that nobody else claimed."""
    won = [
        row
        for row, seen in wanted
        if db.execute(_CLAIM, {"row": row, "seen": seen, "until": until}).rowcount == 1
    ]
    found = db.execute(_CLAIMED, {"rows": won}) if won else ()
    return [Claimed(_delivery(row), *row[len(COLUMNS) :]) for row in found]


def delivered(db: Connection, delivery_id: str, *, now: datetime) -> None:
    """Note that an app has heard, whoever else may be trying meanwhile."""
    db.execute(_DELIVERED, {"row": delivery_id, "now": now})


def failed(
    db: Connection, claimed: Delivery, error: str, *, again: datetime | None, dead: datetime | None
) -> None:
    """Note why an attempt failed and when the next one is; not if the row is no longer ours."""
    values = {"row": claimed.id, "seen": claimed.due_at, "again": again, "dead": dead, "error": error}
    db.execute(_FAILED, values)


def retry(db: Connection, delivery_ids: Sequence[str], *, now: datetime, gives_up_at: datetime) -> int:
    """Make deliveries due now, as if they were new; answer how many had not been delivered."""
    undelivered = delivery.c.id.in_(list(delivery_ids)), delivery.c.delivered_at.is_(None)
    new = {"due_at": now, "attempts": 0, "gives_up_at": gives_up_at, "dead_at": None}
    announce(db)  # whoever sends looks at once
    return db.execute(update(delivery).where(*undelivered).values(new)).rowcount


def page(
    db: Connection, *, client_id: str | None = None, undelivered: bool = False, limit: int
) -> list[Delivery]:
    """Answer the newest deliveries first."""
    query = select(*COLUMNS).order_by(delivery.c.created_at.desc(), delivery.c.id).limit(limit)
    if client_id is not None:
        query = query.where(delivery.c.client_id == client_id)
    if undelivered:
        query = query.where(delivery.c.delivered_at.is_(None))
    return [_delivery(row) for row in db.execute(query)]


def of_session(db: Connection, session_id: str, account_id: str, *, since: datetime) -> list[Delivery]:
    """Answer who was told of the end of a session, by itself or with all others of its account."""
    with_all = and_(
        delivery.c.account_id == account_id,
        delivery.c.session_id.is_(None),
        delivery.c.created_at >= since,
    )
    query = select(*COLUMNS).where(or_(delivery.c.session_id == session_id, with_all))
    return [_delivery(row) for row in db.execute(query.order_by(delivery.c.created_at, delivery.c.id))]


def purge(db: Connection, before: datetime, batch: int) -> int:
    """Delete up to `batch` deliveries from before then that are over; answer how many."""
    over = delivery.c.created_at < before, delivery.c.due_at.is_(None)
    gone = select(delivery.c.id).where(*over).limit(batch)
    return db.execute(delete(delivery).where(delivery.c.id.in_(gone))).rowcount


def _delivery(row: Sequence[Any]) -> Delivery:
    return Delivery(*row[: len(COLUMNS)])
