"""The table of device authorization requests. Codes are stored as hashes: what is read here opens nothing."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from authserver.database import Moment, metadata

device_authorization = Table(
    "device_authorization",
    metadata,
    Column("device_code_hash", LargeBinary(32), primary_key=True),
    Column("user_code_hash", LargeBinary(32), nullable=False, unique=True),
    Column(
        "client_id",
        String(255),
        ForeignKey("client.client_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("scope", Text, nullable=False),
    Column("audience", JSON, nullable=False),  # a list of strings (RFC 8707)
    Column("address", String(45), nullable=True),  # where it was asked from, for the person who decides
    Column("user_agent", String(255), nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column(
        "interval", Integer, nullable=False
    ),  # seconds between two polls; grows with each that is too early
    Column("last_poll_at", Moment, nullable=True),
    Column(
        "account_id", String(22), ForeignKey("account.id", ondelete="CASCADE"), nullable=True, index=True
    ),  # who decided
    Column("session_id", String(22), nullable=True),  # in which session
    Column("allowed", Boolean, nullable=True),  # NULL: nobody has decided yet
    Column(
        "grant_id", String(22), nullable=True
    ),  # the authorization that a yes became; it knows whether its tokens were given out
)
