"""The table of what was seen."""

from sqlalchemy import Column, LargeBinary, Table

from authserver.database import Moment, metadata

replay = Table(
    "replay",
    metadata,
    Column("key_hash", LargeBinary(32), primary_key=True),  # of purpose and identifier
    Column("expires_at", Moment, nullable=False, index=True),  # it is refused for its age from then on
)
