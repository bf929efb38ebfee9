"""Every statement of the replays.

A claim is one INSERT that only one can win; who comes second waits for the first one's commit, and then loses. Hashed,
because an identifier is somebody else's text of any length, and names a person's device sooner or later.
"""

import hashlib
import json
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Connection, delete, select

from authserver.database import upsert
from authserver.replays.models import replay

Purpose = Literal["dpop", "client_assertion", "revoked_token"]


def claim(db: Connection, purpose: Purpose, *identifier: str, expires_at: datetime) -> bool:
    """Answer True once for each purpose and identifier, and False ever after, until `expires_at`."""
    row = {"key_hash": _hash(purpose, identifier), "expires_at": expires_at}
    return db.execute(_claiming(db.dialect.name), row).one_or_none() is not None


def purge(db: Connection, now: datetime, batch: int) -> int:
    """Delete up to `batch` rows that have expired; answer how many."""
    gone = select(replay.c.key_hash).where(replay.c.expires_at < now).limit(batch)
    return db.execute(delete(replay).where(replay.c.key_hash.in_(gone))).rowcount


@cache
def _claiming(dialect: str) -> Any:
    """Built once: building a statement takes longer than running it on SQLite."""
    return upsert(dialect, replay).on_conflict_do_nothing().returning(replay.c.key_hash)


def _hash(purpose: Purpose, identifier: tuple[str, ...]) -> bytes:
    """JSON, so that no two lists of texts run together into one."""
    return hashlib.sha256(json.dumps([purpose, *identifier]).encode("ascii")).digest()
