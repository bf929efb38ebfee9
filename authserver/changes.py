"""Hears of what other processes have committed: a sign-out there is known here within a tenth of a second.

On PostgreSQL by LISTEN; on SQLite by `PRAGMA data_version`, which changes with every commit of another connection and
costs some microseconds to read. Both are a shortcut only: a server looks at the database twice a second anyway, so
whatever is missed here (a connection that broke, an engine without LISTEN) is known a little later.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Event
from typing import Any, Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authserver.database import CHANNEL, Database
from authserver.logs import get_logger

LOOK_EVERY: Final = 0.1
PING_EVERY: Final = 1.0
AGAIN_AFTER: Final = 1.0

log = get_logger("authserver.changes")


class Changes:
    """Calls `tell` whenever another process may have committed something that servers hold in memory."""

    def __init__(self, database: Database, tell: Callable[[], None]) -> None:
        self._database = database
        self._tell = tell
        self._watch = self._look if database.embedded else self._listen
        self._troubled = False

    def follow(self, stop: Event) -> None:
        """Block until `stop`; begin again after each failure."""
        while not stop.is_set():
            try:
                self._watch(stop)
            except Exception as error:  # noqa: BLE001 - drivers raise their own kinds; the look twice a second goes on
                if not self._troubled:
                    log.warning("not told of changes, looking for them instead", cause=type(error).__name__)
                self._troubled = True
                stop.wait(AGAIN_AFTER)

    def _look(self, stop: Event) -> None:
        with self._database.engine.connect() as db:
            seen = db.exec_driver_sql("PRAGMA data_version").scalar_one()
            self._over_it()
            while not stop.wait(LOOK_EVERY):
                now = db.exec_driver_sql("PRAGMA data_version").scalar_one()
                if now != seen:
                    seen = now
                    self._tell()

    def _listen(self, stop: Event) -> None:
        with _own_connection(self._database) as connection:
            connection.autocommit = True
            connection.execute(f"LISTEN {CHANNEL}")
            self._over_it()
            self._tell()  # something may have been said before we listened
            while not stop.is_set():
                for _ in connection.notifies(timeout=PING_EVERY, stop_after=1):
                    self._tell()
                connection.execute("SELECT 1")  # a peer that is gone says nothing for ever

    def _over_it(self) -> None:
        if self._troubled:
            log.info("told of changes again")
        self._troubled = False


@contextmanager
def _own_connection(database: Database) -> Iterator[Any]:
    """Lend a connection that does not count in the pool, as it is never given back.

    Nor is it closed by the pool, which would roll back first: on a connection that has died it logs a traceback for that.
    """
    try:
        lent = database.engine.raw_connection()
    except (DBAPIError, PoolTimeout):
        raise ConnectionError("the database does not answer") from None
    lent.detach()
    connection: Any = lent.dbapi_connection
    with closing(connection):
        yield connection
