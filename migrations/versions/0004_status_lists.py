"""Token Status Lists: an index for each session, and for whom each index stands.

Kind: expand
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("status_index", sa.Integer(), nullable=True))
    op.create_table(
        "status_index",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("session_id", sa.String(length=22), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_status_index")),
    )
    for column in ("account_id", "session_id", "expires_at"):
        op.create_index(op.f(f"ix_status_index_{column}"), "status_index", [column], unique=False)


def downgrade() -> None:
    op.drop_table("status_index")
    op.drop_column("session", "status_index")
