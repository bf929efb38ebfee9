"""The list's table, and the one row that orders it."""

from sqlalchemy import Column, Integer, String, Table

from authserver.database import BigId, Moment, metadata

revocation = Table(
    "revocation",
    metadata,
    Column("sequence", BigId, primary_key=True, autoincrement=False),
    Column("kind", String(9), nullable=False),  # protocol.revocation.Kind
    Column("value", String(255), nullable=False),
    Column("before", Moment, nullable=True),  # kinds sub and client_id: tokens issued before it
    Column("created_at", Moment, nullable=False),
    Column(
        "expires_at", Moment, nullable=False, index=True
    ),  # by then the last token it concerns has expired
    Column("mark", String(22), nullable=False, server_default=""),  # of the list as it was with this entry
)

revocation_head = Table(
    "revocation_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("sequence", BigId, nullable=False),
    Column("mark", String(22), nullable=False, server_default=""),  # protocol/revocation.py
)
