"""The table of pairwise subjects."""

from sqlalchemy import Column, ForeignKey, String, Table

from authserver.clients.models import LONGEST_URI
from authserver.database import Moment, metadata

pairwise_subject = Table(
    "pairwise_subject",
    metadata,
    Column("account_id", String(22), ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("sector", String(LONGEST_URI), primary_key=True),  # a host; sectors.py
    Column("subject", String(22), nullable=False, unique=True),  # `sub` on the wire; never used again
    Column("created_at", Moment, nullable=False),
)
