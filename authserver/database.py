"""The database: one engine, one way to read, one way to write; nothing else in the package commits.

A *step* is a plain function of one open connection, always named `db`. `Database.write` runs it as one
transaction and commits before it answers, so nobody is told of a change that did not last. A refusal that must
leave a trace is returned by the step, never raised: raising rolls back.

SQLite runs in WAL, and a commit counts when the log has been flushed to the disk: a sign-out that was acknowledged
survives a power cut. SQLite can do the flush inside COMMIT (`synchronous=FULL`), or leave it to us (`NORMAL`): we do
it right after, because one flush can then serve many commits, and need not keep anybody waiting who does not depend
on it (`web/runner.py`). Writers take the lock at the start (`BEGIN IMMEDIATE`), so a step never fails half-way for
want of it.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, DateTime, Engine, Integer, MetaData, Table, create_engine, event
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.types import BigInteger, TypeDecorator

T = TypeVar("T")
Step = Callable[[Connection], T]

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)

CONNECT_SECONDS: Final = 2
STATEMENT_MILLISECONDS: Final = 5_000
SERIALIZATION_ATTEMPTS: Final = 5
TRY_AGAIN: Final = frozenset(
    {"40001", "40P01"}
)  # serialization failure, deadlock: the standard's "try again"
READ_ONLY: Final = "25006"
CHANNEL: Final = "authserver"  # of NOTIFY; changes.py listens
_ANNOUNCED: Final = "authserver.announced"
_TURNED_AWAY: Final = (  # while connecting, libpq hands on no SQLSTATE: what else it says comes out as it is
    ("failed: .*password authentication failed", "the database refuses the password of {user} at {place}"),
    ("failed: .*no password supplied", "the database wants a password of {user} at {place}"),
    ("failed: .*no pg_hba.conf entry", "the database does not let {user} in at {place}"),
    ('failed: .*role ".*" does not exist', "the database at {place} has no user {user}"),
    ('failed: .*database ".*" does not exist', "there is no database {name} at {place}: create it"),
    ("failed: Connection refused|failed: No such file", "nothing listens at {place}: start the database"),
)
_FILE_SHUT: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM})

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows by INTEGER PRIMARY KEY alone


class DatabaseUnavailable(Exception):
    """The database did not answer; nothing was changed by this call, or it is not known whether it was."""


class DatabaseShut(DatabaseUnavailable):
    """It turned us away, or is not where we were told; the message says who, where and what to look at."""


class DatabaseBusy(DatabaseUnavailable):
    """Another writer holds SQLite's lock; the step was not begun."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC, on SQLite as well, where the driver forgets the time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - signature of SQLAlchemy
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - as above
        return (
            None
            if value is None
            else value.replace(tzinfo=UTC)
            if value.tzinfo is None
            else value.astimezone(UTC)
        )


class Database:
    """One database, reached by its URL: `sqlite:///file` or `postgresql://…`."""

    def __init__(self, url: str, *, connections: int = 4) -> None:
        self.url: URL = make_url(url)
        self.embedded = self.url.get_backend_name() == "sqlite"
        self.connections = connections
        self.engine = _sqlite(self.url) if self.embedded else _postgresql(self.url, connections)
        self._listeners: list[Callable[[], None]] = []

    def on_announcement(self, listener: Callable[[], None]) -> None:
        """Call `listener`, in the thread that wrote, after each commit of ours that was announced."""
        self._listeners.append(listener)

    def read(self, step: Step[T]) -> T:
        """Run a step that changes nothing.

        :raises DatabaseUnavailable: the database did not answer.
        """
        with _named_failures(self.url), self.engine.connect() as db:
            return step(db)

    def write(self, step: Step[T], *, patience: float = 5.0, flush: bool = True) -> T:
        """Run a step as one transaction; it is durable when this returns, and undone when the step raises.

        :param patience: seconds to wait for SQLite's write lock; with 0 the call never blocks.
        :param flush: False leaves SQLite's flush to the caller, who tells nobody of the change before it.
        :raises DatabaseBusy: the lock was not free in time; the step was not begun.
        :raises DatabaseUnavailable: the database did not answer.
        """
        for _ in range(SERIALIZATION_ATTEMPTS - 1):
            try:
                return self._transact(step, patience, flush=flush)
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in TRY_AGAIN:
                    raise
        return self._transact(step, patience, flush=flush)

    def flush(self) -> None:
        """Wait until every commit that came before this call is on the disk.

        Opening and closing the log is safe: SQLite's own locks lie on the database and on `-shm`, never on `-wal`.

        :raises DatabaseUnavailable: the disk refused; what was committed may not last.
        """
        if not self.embedded or not self.url.database:
            return
        try:
            log = os.open(f"{self.url.database}-wal", os.O_RDWR)
            try:
                os.fsync(log)
            finally:
                os.close(log)
        except FileNotFoundError:
            return  # the last connection closed and took the log into the database, with a flush of its own
        except OSError as error:
            raise DatabaseUnavailable(f"the disk does not take a flush ({error.strerror})") from error

    def _transact(self, step: Step[T], patience: float, *, flush: bool) -> T:
        with _named_failures(self.url), self.engine.connect() as db:
            if self.embedded:
                db.exec_driver_sql(f"PRAGMA busy_timeout = {int(patience * 1000)}")
                db.exec_driver_sql("BEGIN IMMEDIATE")
            db.info.pop(_ANNOUNCED, None)  # of a step that was rolled back
            try:
                answer = step(db)
                self._commit(db)
            except BaseException:
                self._roll_back(db)
                raise
            if flush:
                self.flush()
            if db.info.pop(_ANNOUNCED, False):
                self._tell(db)
            return answer

    def _commit(self, db: Connection) -> None:
        """SQLite's transaction is ours (`BEGIN IMMEDIATE`), so its end is as well."""
        if self.embedded:
            db.exec_driver_sql("COMMIT")
        else:
            db.commit()

    def _tell(self, db: Connection) -> None:
        """Tell this process, and the others through PostgreSQL; whom that does not reach looks twice a second.

        After the commit and apart from it: not every engine that speaks PostgreSQL's protocol has NOTIFY.
        """
        for listener in self._listeners:
            listener()
        if not self.embedded:
            with suppress(DBAPIError):
                db.exec_driver_sql(f"NOTIFY {CHANNEL}")
                db.commit()

    def _roll_back(self, db: Connection) -> None:
        """Leave nothing open, neither after a step nor after a COMMIT that failed."""
        try:
            if self.embedded:
                db.exec_driver_sql("ROLLBACK")
            else:
                db.rollback()
        except DBAPIError:  # the connection is gone, or SQLite rolled back by itself: never lend it again
            db.invalidate()

    def close(self) -> None:
        self.engine.dispose()


def announce(db: Connection) -> None:
    """Say that this transaction changes what servers hold in memory; they are told after its commit."""
    db.info[_ANNOUNCED] = True


def insert_missing(db: Connection, table: Table, **values: Any) -> None:
    """Insert a row, or leave the one that has its key: both databases say it alike, SQLAlchemy in two places."""
    db.execute(upsert(db.dialect.name, table).values(**values).on_conflict_do_nothing())


def upsert(dialect: str, table: Table) -> Any:
    """Answer an INSERT that can say ON CONFLICT, in the dialect in use; the other is not even loaded."""
    if dialect == "sqlite":
        return import_module("sqlalchemy.dialects.sqlite").insert(table)
    return import_module("sqlalchemy.dialects.postgresql").insert(table)


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,  # an error's text goes into a log, and a parameter may be a password's hash
        isolation_level="AUTOCOMMIT",  # the driver begins nothing behind our back
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        connect_args={"check_same_thread": False, "cached_statements": 256},
    )

    @event.listens_for(engine, "do_connect")
    def make_private(_dialect: Any, _record: Any, _arguments: Any, _named: Any) -> None:
        """Make the file before SQLite does, for its owner alone; the journals inherit that.

        O_EXCL: a file that is there is never opened here. Closing it would drop SQLite's locks of this whole process
        (POSIX advisory locks), and the next process to leave would delete the log that we still write to.
        """
        if url.database and url.database != ":memory:":
            with suppress(OSError):  # it exists already, or SQLite will say what is wrong
                os.close(os.open(url.database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 0"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _postgresql(url: URL, connections: int) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECT_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": CONNECT_SECONDS * 1000,
            "options": f"-c statement_timeout={STATEMENT_MILLISECONDS} -c timezone=UTC",
        },
    )


@contextmanager
def _named_failures(url: URL) -> Iterator[None]:
    """Tell "the database is away" from a mistake of ours, by what the driver says."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        if getattr(error.orig, "sqlstate", None) in TRY_AGAIN:
            raise
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            raise DatabaseBusy("another writer holds the database's lock") from error
        if code == sqlite3.SQLITE_ERROR:
            raise  # SQLite's word for a wrong statement or a missing table: ours to mend
        raise _away(url, code, error.orig) from error
    except InternalError as error:
        if getattr(error.orig, "sqlstate", None) == READ_ONLY:
            raise DatabaseUnavailable("the database takes no writes now: a standby, perhaps") from error
        raise
    except PoolTimeout as error:
        raise DatabaseUnavailable("every database connection is in use") from error


def _away(url: URL, code: int, said: BaseException | None) -> DatabaseUnavailable:
    """Say what is wrong in our words, or else in the first line of the driver's, which holds no password."""
    words = str(said).partition("\n")[0] or type(said).__name__
    if code in _FILE_SHUT:
        advice = "look who owns it and its folder, or run as whoever runs the server"
        return DatabaseShut(f"the file {url.database} cannot be used by this user ({words}): {advice}")
    place = f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}"
    for heard, meaning in _TURNED_AWAY:
        if re.search(heard, words):
            told = meaning.format(user=url.username, place=place, name=url.database)
            return DatabaseShut(f"{told}{', or' if ': ' in told else ':'} check database_url")
    return DatabaseUnavailable(f"the database does not answer ({words})")
