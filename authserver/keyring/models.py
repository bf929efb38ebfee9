"""The tables of the keyring: one row for each algorithm's ring, one for each key, and private keys if kept here."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, text

from authserver.database import Moment, metadata

keyring = Table(
    "keyring",
    metadata,
    Column("algorithm", String(16), primary_key=True),
    Column("version", Integer, nullable=False),  # grows with every change: how servers notice one
    Column("promote_at", Moment, nullable=True),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("kid", String(43), primary_key=True),  # RFC 7638 thumbprint
    Column("algorithm", String(16), ForeignKey("keyring.algorithm"), nullable=False),
    Column("state", String(11), nullable=False),
    Column("public_jwk", JSON, nullable=False),
    Column("published_at", Moment, nullable=False),
    Column("activated_at", Moment, nullable=True),
    Column("retired_at", Moment, nullable=True),
    Column("ended_at", Moment, nullable=True),
)

# Two servers that rotate at once take turns; were there ever a way around that, the database itself refuses.
for _state in ("active", "next"):
    _only = text(f"state = '{_state}'")
    Index(
        f"uq_signing_key_{_state}",
        signing_key.c.algorithm,
        unique=True,
        sqlite_where=_only,
        postgresql_where=_only,
    )

installation = Table(
    "installation",
    metadata,
    Column("id", String(22), primary_key=True),  # one row, made with the schema: whose keys lie in a folder
)

private_key = Table(
    "private_key",
    metadata,
    Column("kid", String(43), primary_key=True),
    Column(
        "sealed", Text, nullable=False
    ),  # a JWE of the private JWK, or the JWK itself where that was allowed
)
