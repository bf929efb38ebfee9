"""The index in a status list that the tokens of a session carry, where the server publishes such lists.

One for each session and not for each token, so that nothing grows with every token. A session keeps it, until roles
are taken from its account (`SignOut.cut_off_tokens`): a status is not told by `iat`, so the tokens from before and
those from after need different ones.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from authserver.sessions.store import Session
from authserver.status_lists.indexes import StatusIndexes


def with_status_index(
    db: Connection, indexes: StatusIndexes | None, session: Session, now: datetime
) -> Session:
    """Give an index to a session that has none; `now` is not before any cut-off of its account."""
    if indexes is None or session.status_index is not None:
        return session
    number = indexes.give(
        db,
        account_id=session.account_id,
        session_id=session.id,
        now=now,
        session_ends=session.expires_at,
    )
    return replace(session, status_index=number)
