"""`authserver delivery`: the ledger of what apps are told, and trying again at once."""

from datetime import datetime
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from authserver.audit.store import Entry, record
from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.nouns import noun
from authserver.cli.times import when
from authserver.cli.verbs import verb
from authserver.deliveries import store
from authserver.deliveries.schedule import GIVE_UP_AFTER
from authserver.deliveries.store import Delivery

app = noun("delivery")

HEADER: Final = ("id", "app", "session", "state", "attempts", "last error", "next attempt", "heard")
MOST: Final = 10_000

Client = Annotated[str, typer.Option(help="Only of this app.", metavar="CLIENT_ID")]


@verb(app, "list")
def list_deliveries(
    call: Call,
    *,
    client: Client = "",
    undelivered: Annotated[bool, typer.Option(help="Only what was not heard.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST)] = 100,
) -> Answer:
    """Show who was told of logouts, who has not heard yet, and why not; the newest first.

    Example: authserver delivery list --undelivered
    """
    found = call.read(
        lambda db: store.page(db, client_id=client or None, undelivered=undelivered, limit=limit)
    )
    rows = [row_of(one, call.now) for one in found]
    facts = {"deliveries": [describe_delivery(one) for one in found]}
    return Answer(facts, [Table(HEADER, rows)] if rows else ["Nobody had to be told of anything."])


@verb(app, "retry", changes=True)
def retry(
    call: Call,
    delivery_id: Annotated[str, typer.Argument(help="One delivery.", metavar="[ID]")] = "",
    *,
    client: Client = "",
    every: Annotated[bool, typer.Option("--all", help="All that was not heard.")] = False,
) -> Answer:
    """Try again now what was not heard, or was given up. A running server sends it within a second.

    Example: authserver delivery retry --client orders
    """
    if [bool(delivery_id), bool(client), every].count(True) != 1:
        raise Refused("say which: an ID, --client CLIENT_ID, or --all", code=2)

    def step(db: Connection) -> int:
        chosen = [delivery_id] if delivery_id else _undelivered(db, client)
        again = store.retry(db, chosen, now=call.now, gives_up_at=call.now + GIVE_UP_AFTER)
        if again:
            detail = {"deliveries": again, **({"client_id": client} if client else {})}
            record(db, Entry("delivery.retried", call.now, "operator", detail=detail))
        return again

    again = call.write(step)
    if not again and delivery_id:
        raise Refused(
            f"there is no delivery {delivery_id} that was not heard: `authserver delivery list` shows them"
        )
    return Answer({"again": again}, [f"{again} to be tried again now." if again else "Everybody has heard."])


def describe_delivery(one: Delivery) -> dict[str, Any]:
    """Answer a line of the ledger as facts."""
    return {
        "id": one.id,
        "kind": one.kind,
        "client_id": one.client_id,
        "account_id": one.account_id,
        "sid": one.session_id,
        "state": one.state,
        "attempts": one.attempts,
        "last_error": one.last_error,
        "created_at": one.created_at,
        "next_attempt_at": one.due_at,
        "delivered_at": one.delivered_at,
        "given_up_at": one.dead_at,
    }


def row_of(one: Delivery, now: datetime) -> tuple[str, ...]:
    """Answer a line of the ledger under `HEADER`."""
    return (
        one.id,
        one.client_id,
        one.session_id or "every session",
        one.state,
        str(one.attempts),
        one.last_error or "",
        when(one.due_at, now),
        when(one.delivered_at, now),
    )


def _undelivered(db: Connection, client: str) -> list[str]:
    found = store.page(db, client_id=client or None, undelivered=True, limit=MOST)
    return [one.id for one in found]
