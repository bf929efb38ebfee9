"""The table of sessions."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, String, Table

from authserver.database import Moment, metadata

session = Table(
    "session",
    metadata,
    Column("id", String(22), primary_key=True),  # `sid` on the wire
    Column("secret_hash", LargeBinary(32), nullable=False, unique=True),  # of the cookie's value
    Column(
        "account_id", String(22), ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("started_at", Moment, nullable=False),
    Column("authenticated_at", Moment, nullable=False),  # `auth_time`
    Column("amr", JSON, nullable=False),  # how: RFC 8176 values
    Column("last_seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),  # the absolute limit
    Column("ended_at", Moment, nullable=True, index=True),
    Column("address", String(45), nullable=True),
    Column("user_agent", String(255), nullable=True),
    Column("status_index", Integer, nullable=True),  # of the tokens given out from now on
)
