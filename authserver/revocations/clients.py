"""What ends the tokens of a client: it was disabled or deleted, or its secret is in the wrong hands.

One entry with a cut-off ends them all, as `sessions/sign_out.py` does it for an account: the cut-off is the next whole
second, because `iat` counts whole seconds, and whoever gives out tokens waits until `tokens_not_before` is past, so that
no token of that second is given out afterwards.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.clock import seconds
from authserver.protocol.revocation import Kind
from authserver.revocations import store


def end_tokens(db: Connection, client: Client, now: datetime, tokens_live: timedelta) -> datetime:
    """End every access token that was given to a client until now, and answer the cut-off; it never goes back.

    Call it with the client held (`clients.store.locked`), and late in a transaction: it takes the list's lock.

    :param tokens_live: how long after now a token may still be alive, clock skew included.
    """
    cutoff = datetime.fromtimestamp(seconds(now) + 1, UTC)
    if client.tokens_not_before is not None:
        cutoff = max(cutoff, client.tokens_not_before)
    clients.change(db, client.client_id, tokens_not_before=cutoff)
    store.append(db, Kind.CLIENT_ID, client.client_id, now=now, expires_at=now + tokens_live, before=cutoff)
    return cutoff
