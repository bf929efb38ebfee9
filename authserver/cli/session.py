"""`authserver session`: which browsers are signed in, ending one, and who was told of the end."""

from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from authserver.accounts.store import Account
from authserver.accounts.usernames import canonical
from authserver.cli.account_answers import found
from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.delivery import HEADER, describe_delivery, row_of
from authserver.cli.heard import PATIENCE, Wait, noting, with_heard
from authserver.cli.nouns import noun
from authserver.cli.times import when
from authserver.cli.verbs import verb
from authserver.deliveries import store as deliveries
from authserver.deliveries.store import Delivery
from authserver.sessions import store
from authserver.sessions.store import Session

app = noun("session")


@verb(app, "list")
def list_sessions(
    call: Call,
    *,
    account: Annotated[str, typer.Option(help="Only this account's.", metavar="NAME")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 100,
) -> Answer:
    """Show living sessions, the latest used first.

    Example: authserver session list --account alice
    """
    listed = call.read(lambda db: _living(db, call, account, limit))
    header = ("sid", "account", "started", "last seen", "ends", "address", "user agent")
    rows = [
        (
            session.id,
            owner.username,
            when(session.started_at, call.now),
            when(session.last_seen_at, call.now),
            when(session.expires_at, call.now),
            session.address or "",
            session.user_agent or "",
        )
        for session, owner in listed
    ]
    facts = {"sessions": [_describe(*one) for one in listed]}
    return Answer(facts, [Table(header, rows)] if rows else ["Nobody is signed in."])


@verb(app, "end", changes=True)
def end(
    call: Call,
    sid: Annotated[str, typer.Argument(help="The session's id.", metavar="SID")],
    *,
    wait: Wait = PATIENCE,
) -> Answer:
    """End one session; tokens given out for it are on the revocation list at once.

    Example: authserver session end SID
    """

    def step(db: Connection) -> list[str]:
        return call.parts.sign_out.here(db, [sid], now=call.now, why="session.ended", by="operator")

    ended, listed = call.write(noting(call, step))
    if not ended:
        raise Refused(f"there is no session {sid} that has not ended: `authserver session list` shows them")
    return with_heard(call, Answer({"ended": sid}, [f"Ended the session {sid}."]), listed, wait)


@verb(app, "trace")
def trace(call: Call, sid: Annotated[str, typer.Argument(help="The session's id.", metavar="SID")]) -> Answer:
    """Show which apps were told of a session's end, which have not heard yet, and why not.

    Example: authserver session trace SID
    """
    found = call.read(lambda db: _traced(db, sid))
    if found is None:
        raise Refused(f"there is no session {sid}, or it ended more than a week ago and is forgotten")
    session, told = found
    facts = {
        "sid": sid,
        "account_id": session.account_id,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "deliveries": [describe_delivery(one) for one in told],
    }
    ended = when(session.ended_at, call.now)
    lines: list[str | Table] = [
        f"The session {sid} ended at {ended}." if ended else f"The session {sid} has not ended."
    ]
    if told:
        lines.append(Table(HEADER, [row_of(one, call.now) for one in told]))
    elif ended:
        lines.append("No app had to be told.")
    return Answer(facts, lines)


def _traced(db: Connection, sid: str) -> tuple[Session, list[Delivery]] | None:
    session = store.look(db, sid)
    if session is None:
        return None
    since = session.ended_at
    told = deliveries.of_session(db, sid, session.account_id, since=since) if since else []
    return session, told


def _living(db: Connection, call: Call, name: str, limit: int) -> list[tuple[Session, Account]]:
    now = call.now
    seen_after = call.parts.lifetime.seen_after(now)
    if not name:
        return store.page(db, now=now, seen_after=seen_after, limit=limit)
    account = found(db, canonical(name))
    return [
        (one, account) for one in store.of_account(db, account.id, now=now, seen_after=seen_after)[:limit]
    ]


def _describe(session: Session, account: Account) -> dict[str, Any]:
    return {
        "sid": session.id,
        "account": account.username,
        "account_id": account.id,
        "started_at": session.started_at,
        "authenticated_at": session.authenticated_at,
        "amr": list(session.amr),
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "address": session.address,
        "user_agent": session.user_agent,
    }
