"""What apps are told about a person, and the groups of an account.

Kind: expand
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("claims", sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
    op.add_column("account", sa.Column("groups", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    op.drop_column("account", "groups")
    op.drop_column("account", "claims")
