"""Writes down which apps have to be told that sessions are over: in the transaction that ends them.

Handed to `SignOut` when the capabilities are built, so that every trigger tells the apps (signed out here and
everywhere, disabled, password changed, ended by the operator) and none can be forgotten.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from authserver.deliveries import store
from authserver.deliveries.schedule import GIVE_UP_AFTER
from authserver.sessions.store import Ended

BACKCHANNEL_LOGOUT: Final = "backchannel_logout"


def tell_apps(
    db: Connection, ended: Sequence[Ended], now: datetime, *, account_id: str | None = None
) -> None:
    """Write one delivery for each app of these sessions, or of a whole account.

    All sessions of an account: the token names no session (`sub` alone), and ends those as well that are long gone
    here while an app still has its own, or its offline access.
    """
    sids = [session.id for session in ended]
    if account_id is not None:
        whom = store.apps_of_account(db, account_id, sids)
    else:
        whom = store.apps_of_sessions(db, sids) if sids else []
    store.add(db, BACKCHANNEL_LOGOUT, whom, now=now, gives_up_at=now + GIVE_UP_AFTER)
