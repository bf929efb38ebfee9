"""The table of deliveries: who has to be told what, and who has heard."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table

from authserver.database import Moment, metadata

delivery = Table(
    "delivery",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column(
        "client_id",
        String(255),
        ForeignKey("client.client_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # Neither is a foreign key: an app has to hear of the end of what is deleted meanwhile.
    Column("account_id", String(22), nullable=False, index=True),
    Column("session_id", String(22), nullable=True, index=True),  # NULL: every session of the account
    Column("subject", String(22), nullable=False),  # by which name the app knows the account
    Column("created_at", Moment, nullable=False, index=True),
    Column("due_at", Moment, nullable=True, index=True),  # the next attempt; NULL: none, it is over
    Column("gives_up_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),  # begun ones: whoever is killed in the middle has made one
    Column("last_error", String(64), nullable=True),  # one short word
    Column("delivered_at", Moment, nullable=True),
    Column("dead_at", Moment, nullable=True),  # given up
)
