"""What named services say of themselves: which list and which keys they go by.

Kind: expand
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = 64


def upgrade() -> None:
    op.create_table(
        "service_instance",
        sa.Column("service", sa.String(length=NAME), nullable=False),
        sa.Column("instance", sa.String(length=NAME), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mark", sa.String(length=NAME), nullable=False),
        sa.Column("kids", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=9), nullable=False),
        sa.Column("first_heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("service", "instance", name=op.f("pk_service_instance")),
    )
    op.create_index(op.f("ix_service_instance_seen_at"), "service_instance", ["seen_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_service_instance_seen_at"), table_name="service_instance")
    op.drop_table("service_instance")
