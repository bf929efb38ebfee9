"""The tables of authorizations.

An authorization begins as a code and goes on as a family of refresh tokens: one row for all of it, so nothing here
grows with the number of tokens. Its `id` is the access tokens' `grant_id`, by which the whole family is revoked.
"""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, LargeBinary, String, Table, Text

from authserver.database import Moment, metadata


def _client() -> Column[str]:
    return Column(
        "client_id",
        String(255),
        ForeignKey("client.client_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    )


def _account(*, nullable: bool) -> Column[str]:
    return Column(
        "account_id",
        String(22),
        ForeignKey("account.id", ondelete="CASCADE"),
        nullable=nullable,
        index=not nullable,
    )


authorization_request = Table(
    "authorization_request",
    metadata,
    Column("reference_hash", LargeBinary(32), primary_key=True),  # of what stands in `request_uri`
    _client(),
    Column("parameters", JSON, nullable=False),  # as they were sent
    Column("pushed", Boolean, nullable=False),  # by the client itself, which had to authenticate (RFC 9126)
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("session_id", String(22), nullable=True),  # whose person decided
    Column("allowed", Boolean, nullable=True),  # NULL: not asked yet
    Column("finished_at", Moment, nullable=True),  # answered with a code or an error
)

authorization = Table(
    "authorization",
    metadata,
    Column("id", String(22), primary_key=True),  # `grant_id` in access tokens
    _client(),
    _account(nullable=False),
    Column("session_id", String(22), nullable=False, index=True),
    Column("offline", Boolean, nullable=False),  # goes on after the session has ended (OIDC Core §11)
    Column("scope", Text, nullable=False),
    Column("audience", JSON, nullable=False),  # a list of strings (RFC 8707)
    Column("redirect_uri", Text, nullable=True),  # as it was sent; NULL: it was not
    Column("code_challenge", String(43), nullable=True),  # S256
    Column("nonce", Text, nullable=True),
    Column("claims", JSON, nullable=False),  # `claims` (OIDC Core §5.5), what is known of it
    Column("acr", String(64), nullable=False),
    Column("amr", JSON, nullable=False),
    Column("authenticated_at", Moment, nullable=False),  # `auth_time`, frozen (RFC 9068 §2.2.1)
    Column("key_thumbprint", String(43), nullable=True),  # of the key it is bound to (RFC 9449)
    Column("code_hash", LargeBinary(32), nullable=False),
    Column("code_expires_at", Moment, nullable=False),
    Column("code_used_at", Moment, nullable=True),
    Column(
        "refresh_key", LargeBinary(32), nullable=True
    ),  # by which a refresh token of ours is known; refresh_tokens.py
    Column("refresh_hash", LargeBinary(32), nullable=True),  # of the one that is good
    Column("previous_hash", LargeBinary(32), nullable=True),  # of the one before
    Column("rotated_at", Moment, nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),  # nothing of it is good after this
    Column("ended_at", Moment, nullable=True),
    Column("subject", String(22), nullable=True),  # `sub` of its tokens; NULL: the account's own id
)
