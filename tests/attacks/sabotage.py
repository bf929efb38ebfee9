"""Breaking a real database on purpose: commits that fail at the last moment, a lock that another process holds."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from authserver.database import Database

BREAK_SQLITE = """
CREATE TABLE promise (id INTEGER PRIMARY KEY, kept INTEGER REFERENCES promise (id) DEFERRABLE INITIALLY DEFERRED);
CREATE TRIGGER sabotage AFTER INSERT ON audit_entry BEGIN INSERT INTO promise (kept) VALUES (-1); END;
"""
BREAK_POSTGRESQL = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
CREATE CONSTRAINT TRIGGER sabotage AFTER INSERT ON audit_entry DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION refuse();
"""


@contextmanager
def failing_commits(database: Database) -> Iterator[None]:
    """Let every statement of an audited change succeed, and its commit fail."""
    execute(database, BREAK_SQLITE if database.embedded else BREAK_POSTGRESQL)
    yield
    execute(database, f"DROP TRIGGER sabotage{'' if database.embedded else ' ON audit_entry'};")


@contextmanager
def demoted(database: Database) -> Iterator[None]:
    """Make PostgreSQL refuse every write, as a standby does."""
    name = database.url.database
    execute(database, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    database.engine.dispose()
    yield
    execute(
        database,
        f"SET transaction_read_only = off; ALTER DATABASE {name} RESET default_transaction_read_only",
    )
    database.engine.dispose()


@contextmanager
def another_writer(database: Database) -> Iterator[None]:
    """Hold SQLite's write lock, as a command line in another process would."""
    other = sqlite3.connect(str(database.url.database), isolation_level=None, timeout=1)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def execute(database: Database, script: str) -> None:
    """Run SQL over a connection of the saboteur's own."""
    if database.embedded:
        other = sqlite3.connect(str(database.url.database), isolation_level=None, timeout=1)
        other.executescript(script)
        other.close()
    else:
        with psycopg.connect(postgresql_address(database), autocommit=True) as connection:
            connection.execute(script.encode())


def postgresql_address(database: Database) -> str:
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)
