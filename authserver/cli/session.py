"""`authserver session`: which browsers are signed in, and ending one."""

from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from authserver.accounts.store import Account
from authserver.accounts.usernames import canonical
from authserver.cli.account import found
from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.heard import PATIENCE, Wait, noting, with_heard
from authserver.cli.nouns import noun
from authserver.cli.times import when
from authserver.cli.verbs import verb
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
