"""The tables of clients. Columns are called as RFC 7591 and OpenID Connect register them, wherever they do."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from authserver.database import Moment, metadata

LONGEST_NAME = 255
LONGEST_URI = 2_000


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _uri(name: str) -> Column[str]:
    return Column(name, String(LONGEST_URI), nullable=True)


def _list(name: str) -> Column[list[str]]:
    return Column(name, JSON, nullable=False)  # of strings


client = Table(
    "client",
    metadata,
    Column("client_id", String(255), primary_key=True),
    Column("client_name", String(LONGEST_NAME), nullable=False),
    Column("application_type", String(6), nullable=False),  # web, native
    _flag("first_party"),  # ours: nobody is asked for consent
    _list("redirect_uris"),
    _list("post_logout_redirect_uris"),
    _list("grant_types"),
    Column("scope", Text, nullable=False),  # what it may ask for, separated by spaces
    _list("audiences"),  # what its access tokens may be for (RFC 8707)
    Column("token_endpoint_auth_method", String(32), nullable=False),
    Column("token_endpoint_auth_signing_alg", String(16), nullable=True),
    Column("jwks", JSON(none_as_null=True), nullable=True),  # public keys
    _uri("jwks_uri"),
    Column("subject_type", String(8), nullable=False),  # public, pairwise
    _uri("sector_identifier_uri"),
    Column("id_token_signed_response_alg", String(16), nullable=False),
    Column("userinfo_signed_response_alg", String(16), nullable=True),  # NULL: plain JSON
    Column("introspection_signed_response_alg", String(16), nullable=True),
    Column("default_max_age", Integer, nullable=True),
    _flag("require_auth_time"),
    _uri("backchannel_logout_uri"),
    _flag("backchannel_logout_session_required"),
    _uri("frontchannel_logout_uri"),
    _flag("frontchannel_logout_session_required"),
    _uri("initiate_login_uri"),
    _flag("require_pushed_authorization_requests"),
    _flag("dpop_bound_access_tokens"),
    _flag("require_pkce"),
    _flag("rotate_refresh_tokens"),
    _flag("assertion_for_token_endpoint"),  # `aud` of its assertions may be that URL, not only the issuer
    Column("access_token_lifetime", Integer, nullable=True),  # seconds; NULL: the server's
    Column("id_token_lifetime", Integer, nullable=True),
    Column("refresh_token_lifetime", Integer, nullable=True),
    _uri("client_uri"),
    _uri("logo_uri"),
    _uri("policy_uri"),
    _uri("tos_uri"),
    _list("contacts"),
    Column("registered_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment, nullable=True),
    Column("tokens_not_before", Moment, nullable=True),  # tokens older than this whole second are on the list
)

client_secret = Table(
    "client_secret",
    metadata,
    Column("id", String(22), primary_key=True),
    Column(
        "client_id",
        String(255),
        ForeignKey("client.client_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("secret_hash", LargeBinary(32), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=True, index=True),  # NULL: until another takes its place
)
