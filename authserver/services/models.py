"""The table of what named services said last: one row for each process of each."""

from sqlalchemy import JSON, Column, String, Table

from authserver.database import BigId, Moment, metadata

service_instance = Table(
    "service_instance",
    metadata,
    Column("service", String(64), primary_key=True),  # protocol.heard.LONGEST_NAME
    Column("instance", String(64), primary_key=True),
    Column("sequence", BigId, nullable=False),
    Column("mark", String(64), nullable=False),
    Column("kids", JSON, nullable=False),
    Column("by", String(9), nullable=False),  # one of protocol.heard.BY
    Column("first_heard_at", Moment, nullable=False),
    Column("heard_at", Moment, nullable=False),  # when it first said this sequence under this mark
    Column("seen_at", Moment, nullable=False, index=True),  # when it last said anything
)
