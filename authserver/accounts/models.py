"""The tables of accounts: who may sign in, from which devices they did, and how often it was tried."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, String, Table, text

from authserver.database import Moment, metadata

account = Table(
    "account",
    metadata,
    Column("id", String(22), primary_key=True),  # `sub` on the wire; never used again
    Column("username", String(255), nullable=False, unique=True),  # canonical (RFC 8265)
    Column("display_name", String(255), nullable=False),  # as it was typed when it was created
    Column("password_hash", String(255), nullable=True),  # a PHC string; NULL: cannot sign in by password
    Column("roles", JSON, nullable=False),  # a list of strings
    Column("created_at", Moment, nullable=False),
    Column("password_changed_at", Moment, nullable=True),
    Column("disabled_at", Moment, nullable=True),
    Column("tokens_not_before", Moment, nullable=True),  # tokens older than this whole second are on the list
    Column(
        "signed_out_at", Moment, nullable=True
    ),  # everywhere, the last time: whatever began before is over
    Column("claims", JSON, nullable=False, server_default=text("'{}'")),  # about the person: profile.py
    Column("groups", JSON, nullable=False, server_default=text("'[]'")),  # a list of strings
)

known_device = Table(
    "known_device",
    metadata,
    Column("secret_hash", LargeBinary(32), primary_key=True),
    Column(
        "account_id", String(22), ForeignKey("account.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("expires_at", Moment, nullable=False, index=True),
)

throttle = Table(
    "throttle",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
)
