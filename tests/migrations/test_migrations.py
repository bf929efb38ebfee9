"""The way from an empty database to today's schema and back, on both databases."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from authserver import schema
from authserver.database import Database
from tests.databases import PostgreSQL


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield opened
        opened.close()
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.clone("template1") as url:
        opened = Database(url)
        yield opened
        opened.close()


def test_upgrading_an_empty_database_gives_exactly_the_schema_of_the_models(empty: Database) -> None:
    schema.upgrade(empty)
    assert empty.read(lambda db: compare_metadata(MigrationContext.configure(db), schema.metadata)) == []
    assert schema.revisions(empty).up_to_date


def test_going_down_leaves_nothing_and_going_up_again_works(empty: Database) -> None:
    schema.upgrade(empty)
    schema.downgrade(empty, "base")
    assert empty.read(lambda db: inspect(db).get_table_names()) == ["alembic_version"]
    schema.upgrade(empty)
    assert schema.revisions(empty).up_to_date


def test_an_empty_database_is_not_up_to_date(empty: Database) -> None:
    found = schema.revisions(empty)
    assert (found.current, found.up_to_date) == (None, False)


def test_upgrading_twice_does_nothing_the_second_time(empty: Database) -> None:
    schema.upgrade(empty)
    mark = empty.read(lambda db: db.exec_driver_sql("SELECT mark FROM revocation_head").scalar())
    schema.upgrade(empty)
    assert empty.read(lambda db: db.exec_driver_sql("SELECT mark FROM revocation_head").scalar()) == mark


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "taken.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE session (something TEXT)")
    database = Database(f"sqlite:///{file}")
    with pytest.raises(Exception, match="session"):
        schema.upgrade(database)
    assert database.read(lambda db: inspect(db).get_table_names()) == ["session"]
    database.close()
