"""Alembic's entry: migrate over the connection that was handed in, or over a scratch SQLite for developers."""

from alembic import context
from sqlalchemy import Connection, create_engine

from authserver.schema import metadata


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with create_engine("sqlite:///scratch.db").connect() as scratch:
        migrate(scratch)
