"""The table of consents."""

from sqlalchemy import JSON, Column, ForeignKey, String, Table

from authserver.database import Moment, metadata

consent = Table(
    "consent",
    metadata,
    Column("account_id", String(22), ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "client_id",
        String(255),
        ForeignKey("client.client_id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    Column("scopes", JSON, nullable=False),  # a list of strings
    Column("given_at", Moment, nullable=False),
)
