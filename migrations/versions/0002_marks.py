"""Each state of the revocation list gets a random name, its mark; the epoch, which no one could keep true, goes.

A mark tells two histories apart that count to the same number: the database was restored, and went on differently.

Kind: contract (before the first release)
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MARK = 22


def upgrade() -> None:
    for table in ("revocation", "revocation_head"):
        op.add_column(table, sa.Column("mark", sa.String(length=MARK), nullable=False, server_default=""))
    head = sa.table("revocation_head", sa.column("mark"))
    op.execute(head.update().values(mark=secrets.token_urlsafe(16)))
    op.drop_column("revocation_head", "epoch")


def downgrade() -> None:
    op.add_column(
        "revocation_head", sa.Column("epoch", sa.String(length=22), nullable=False, server_default="")
    )
    for table in ("revocation", "revocation_head"):
        op.drop_column(table, "mark")
