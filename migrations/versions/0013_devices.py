"""What devices ask for, and the people who decide about it (RFC 8628).

Kind: expand
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
HASH = sa.LargeBinary(length=32)
TABLE = "device_authorization"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("device_code_hash", HASH, nullable=False),
        sa.Column("user_code_hash", HASH, nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("user_agent", sa.String(length=255), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("last_poll_at", MOMENT, nullable=True),
        sa.Column("account_id", sa.String(length=22), nullable=True),
        sa.Column("session_id", sa.String(length=22), nullable=True),
        sa.Column("allowed", sa.Boolean(), nullable=True),
        sa.Column("grant_id", sa.String(length=22), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f(f"fk_{TABLE}_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["client.client_id"],
            name=op.f(f"fk_{TABLE}_client_id_client"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("device_code_hash", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("user_code_hash", name=op.f(f"uq_{TABLE}_user_code_hash")),
    )
    for column in ("account_id", "client_id", "expires_at"):
        op.create_index(op.f(f"ix_{TABLE}_{column}"), TABLE, [column], unique=False)


def downgrade() -> None:
    op.drop_table(TABLE)
