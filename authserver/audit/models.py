"""The audit log's table, and the one row that holds the end of its chain."""

from sqlalchemy import JSON, Column, Integer, LargeBinary, String, Table

from authserver.database import BigId, Moment, metadata

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("sequence", BigId, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False, index=True),
    Column("event", String(48), nullable=False, index=True),
    Column("account_id", String(22), nullable=True, index=True),
    Column("session_id", String(22), nullable=True),
    Column("address", String(45), nullable=True),
    Column("actor", String(64), nullable=False),  # "account", "operator" or "server"
    Column("detail", JSON, nullable=False),
    Column("chain", LargeBinary(32), nullable=False),  # SHA-256 over the previous row's chain and this row
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("sequence", BigId, nullable=False),
    Column("chain", LargeBinary(32), nullable=False),
)
