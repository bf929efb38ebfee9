"""Pairwise subjects, and what an authorization calls its person.

Kind: expand
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("authorization", sa.Column("subject", sa.String(length=22), nullable=True))
    op.create_table(
        "pairwise_subject",
        sa.Column("account_id", sa.String(length=22), nullable=False),
        sa.Column("sector", sa.String(length=2000), nullable=False),
        sa.Column("subject", sa.String(length=22), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_pairwise_subject_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "sector", name=op.f("pk_pairwise_subject")),
        sa.UniqueConstraint("subject", name=op.f("uq_pairwise_subject_subject")),
    )


def downgrade() -> None:
    op.drop_table("pairwise_subject")
    op.drop_column("authorization", "subject")
