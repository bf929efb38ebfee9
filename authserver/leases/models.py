"""The table of leases."""

from sqlalchemy import Column, String, Table

from authserver.database import Moment, metadata

lease = Table(
    "lease",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(22), nullable=False),
    Column("expires_at", Moment, nullable=False),
)
