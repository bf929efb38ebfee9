"""`authserver audit`: who did what, and whether the log is whole."""

import json
from typing import Annotated, Any

import typer
from sqlalchemy import Connection, Row

from authserver.accounts import store as accounts
from authserver.accounts.usernames import canonical
from authserver.audit import store
from authserver.cli.account_answers import found
from authserver.cli.answers import Answer, Table
from authserver.cli.call import Call
from authserver.cli.nouns import noun
from authserver.cli.times import when
from authserver.cli.verbs import verb

app = noun("audit")


@verb(app, "list")
def list_entries(
    call: Call,
    *,
    account: Annotated[str, typer.Option(help="Only what concerns this account.", metavar="NAME")] = "",
    event: Annotated[str, typer.Option(help="Only this event, such as sign_in.failed.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000)] = 100,
) -> Answer:
    """Show the newest entries first.

    Example: authserver audit list --account alice --event sign_in.failed
    """

    def read(db: Connection) -> tuple[list[Row[Any]], dict[str, str]]:
        account_id = found(db, canonical(account)).id if account else None
        rows = store.entries(db, limit=limit, account_id=account_id, event=event or None)
        return rows, _names(db, rows)

    entries, names = call.read(read)
    facts = [_describe(entry, names) for entry in entries]
    header = ("#", "when", "event", "by", "account", "session", "address", "detail")
    rows = [
        (
            str(entry.sequence),
            when(entry.at, call.now),
            entry.event,
            entry.actor,
            names.get(entry.account_id, entry.account_id or ""),
            entry.session_id or "",
            entry.address or "",
            json.dumps(entry.detail, ensure_ascii=False) if entry.detail else "",
        )
        for entry in entries
    ]
    return Answer({"entries": facts}, [Table(header, rows)] if rows else ["There are no such entries."])


@verb(app, "verify")
def verify(call: Call) -> Answer:
    """Say whether an entry was changed or taken out; exit code 1 if so. Write the head down elsewhere.

    Example: authserver audit verify --json
    """
    result = call.read(store.verify)
    facts = {
        "whole": result.broken_at is None,
        "count": result.count,
        "head": result.head,
        "broken_at": result.broken_at,
    }
    if result.broken_at is not None:
        words = f"BROKEN at sequence {result.broken_at}: an entry was changed, taken out or put in there."
        return Answer(facts, [words], code=1)
    return Answer(facts, [f"Whole: {result.count} entries.", f"Head: {result.head}"])


def _names(db: Connection, rows: list[Row[Any]]) -> dict[str, str]:
    known = {row.account_id: accounts.by_id(db, row.account_id) for row in rows if row.account_id}
    return {account_id: account.username for account_id, account in known.items() if account}


def _describe(entry: Row[Any], names: dict[str, str]) -> dict[str, Any]:
    return {
        "sequence": entry.sequence,
        "at": entry.at,
        "event": entry.event,
        "actor": entry.actor,
        "account": names.get(entry.account_id),
        "account_id": entry.account_id,
        "session_id": entry.session_id,
        "address": entry.address,
        "detail": entry.detail,
    }
