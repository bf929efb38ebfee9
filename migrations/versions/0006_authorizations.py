"""Authorization requests, authorizations, and when an account was last signed out everywhere.

Kind: expand
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
HASH = sa.LargeBinary(length=32)


def upgrade() -> None:
    op.add_column("account", sa.Column("signed_out_at", MOMENT, nullable=True))
    op.create_table(
        "authorization_request",
        sa.Column("reference_hash", HASH, nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("pushed", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("session_id", sa.String(length=22), nullable=True),
        sa.Column("allowed", sa.Boolean(), nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.client_id"],
            name=op.f("fk_authorization_request_client_id_client"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("reference_hash", name=op.f("pk_authorization_request")),
    )
    op.create_table(
        "authorization",
        sa.Column("id", sa.String(length=22), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("session_id", sa.String(length=22), nullable=False),
        sa.Column("offline", sa.Boolean(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=True),
        sa.Column("code_challenge", sa.String(length=43), nullable=True),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("claims", sa.JSON(), nullable=False),
        sa.Column("acr", sa.String(length=64), nullable=False),
        sa.Column("amr", sa.JSON(), nullable=False),
        sa.Column("authenticated_at", MOMENT, nullable=False),
        sa.Column("key_thumbprint", sa.String(length=43), nullable=True),
        sa.Column("code_hash", HASH, nullable=False),
        sa.Column("code_expires_at", MOMENT, nullable=False),
        sa.Column("code_used_at", MOMENT, nullable=True),
        sa.Column("refresh_key", HASH, nullable=True),
        sa.Column("refresh_hash", HASH, nullable=True),
        sa.Column("previous_hash", HASH, nullable=True),
        sa.Column("rotated_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_authorization_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.client_id"],
            name=op.f("fk_authorization_client_id_client"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization")),
    )
    for table, columns in INDEXES.items():
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


INDEXES = {
    "authorization_request": ("client_id", "expires_at"),
    "authorization": ("account_id", "client_id", "session_id", "expires_at"),
}


def downgrade() -> None:
    op.drop_table("authorization")
    op.drop_table("authorization_request")
    op.drop_column("account", "signed_out_at")
