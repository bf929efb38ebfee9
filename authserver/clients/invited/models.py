"""The tables of invitations and of registration access tokens. Tokens are stored as hashes: what is read here opens nothing."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from authserver.database import Moment, metadata

invitation = Table(
    "invitation",
    metadata,
    Column("id", String(22), primary_key=True),  # `registered_by` of the clients that came by it
    Column(
        "token_hash", LargeBinary(32), nullable=False, unique=True
    ),  # of an initial access token (RFC 7591 §1.2)
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("uses_left", Integer, nullable=False),
    Column("scope", Text, nullable=False),  # what the clients that come by it may ask for
)

registration_token = Table(
    "registration_token",
    metadata,
    Column("client_id", String(255), ForeignKey("client.client_id", ondelete="CASCADE"), primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False),  # of the one that is good (RFC 7592 §1.2)
    Column("scope", Text, nullable=False),  # of the invitation by which the client came
    Column("created_at", Moment, nullable=False),
)
