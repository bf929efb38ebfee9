"""OAuth clients and their secrets.

Kind: expand
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CLIENT_ID = 255
URI = 2_000


def upgrade() -> None:
    op.create_table(
        "client",
        sa.Column("client_id", sa.String(length=CLIENT_ID), nullable=False),
        sa.Column("client_name", sa.String(length=255), nullable=False),
        sa.Column("application_type", sa.String(length=6), nullable=False),
        sa.Column("first_party", sa.Boolean(), nullable=False),
        sa.Column("redirect_uris", sa.JSON(), nullable=False),
        sa.Column("post_logout_redirect_uris", sa.JSON(), nullable=False),
        sa.Column("grant_types", sa.JSON(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audiences", sa.JSON(), nullable=False),
        sa.Column("token_endpoint_auth_method", sa.String(length=32), nullable=False),
        sa.Column("token_endpoint_auth_signing_alg", sa.String(length=16), nullable=True),
        sa.Column("jwks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("jwks_uri", sa.String(length=URI), nullable=True),
        sa.Column("subject_type", sa.String(length=8), nullable=False),
        sa.Column("sector_identifier_uri", sa.String(length=URI), nullable=True),
        sa.Column("id_token_signed_response_alg", sa.String(length=16), nullable=False),
        sa.Column("userinfo_signed_response_alg", sa.String(length=16), nullable=True),
        sa.Column("introspection_signed_response_alg", sa.String(length=16), nullable=True),
        sa.Column("default_max_age", sa.Integer(), nullable=True),
        sa.Column("require_auth_time", sa.Boolean(), nullable=False),
        sa.Column("backchannel_logout_uri", sa.String(length=URI), nullable=True),
        sa.Column("backchannel_logout_session_required", sa.Boolean(), nullable=False),
        sa.Column("frontchannel_logout_uri", sa.String(length=URI), nullable=True),
        sa.Column("frontchannel_logout_session_required", sa.Boolean(), nullable=False),
        sa.Column("initiate_login_uri", sa.String(length=URI), nullable=True),
        sa.Column("require_pushed_authorization_requests", sa.Boolean(), nullable=False),
        sa.Column("dpop_bound_access_tokens", sa.Boolean(), nullable=False),
        sa.Column("require_pkce", sa.Boolean(), nullable=False),
        sa.Column("rotate_refresh_tokens", sa.Boolean(), nullable=False),
        sa.Column("assertion_for_token_endpoint", sa.Boolean(), nullable=False),
        sa.Column("access_token_lifetime", sa.Integer(), nullable=True),
        sa.Column("id_token_lifetime", sa.Integer(), nullable=True),
        sa.Column("refresh_token_lifetime", sa.Integer(), nullable=True),
        sa.Column("client_uri", sa.String(length=URI), nullable=True),
        sa.Column("logo_uri", sa.String(length=URI), nullable=True),
        sa.Column("policy_uri", sa.String(length=URI), nullable=True),
        sa.Column("tos_uri", sa.String(length=URI), nullable=True),
        sa.Column("contacts", sa.JSON(), nullable=False),
        sa.Column("registered_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tokens_not_before", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
    )
    op.create_table(
        "client_secret",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("client_id", sa.String(length=CLIENT_ID), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.client_id"],
            name=op.f("fk_client_secret_client_id_client"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_secret")),
    )
    for column in ("client_id", "expires_at"):
        op.create_index(op.f(f"ix_client_secret_{column}"), "client_secret", [column], unique=False)


def downgrade() -> None:
    op.drop_table("client_secret")
    op.drop_table("client")
