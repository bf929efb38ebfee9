"""The table of indexes: each that a living token may carry, and for whom it stands.

No foreign keys: an index is taken for as long as a token that carries it may live, whatever becomes of the session.
"""

from sqlalchemy import Column, Integer, String, Table

from authserver.database import Moment, metadata

status_index = Table(
    "status_index",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),  # list × SIZE + `idx` on the wire
    Column("account_id", String(22), nullable=False, index=True),
    Column("session_id", String(22), nullable=False, index=True),
    Column("given_at", Moment, nullable=False),  # no token that carries it is older
    Column("expires_at", Moment, nullable=False, index=True),  # by then the last one has expired
)
