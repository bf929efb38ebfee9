"""A PostgreSQL of a test's own that can be killed: as durable as it is by default, in a folder of its own."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from tests.databases import PostgreSQL
from tests.processes import until


class MortalPostgreSQL(PostgreSQL):
    """`kill` ends the postmaster and all that it started, by their ids; `start` begins anew on the same data."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.execute("ALTER SYSTEM RESET ALL")  # what was acknowledged must survive here
        self.execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """kill -9, the postmaster first: it would begin a recovery when another of them dies."""
        with self._admin.connect() as connection:
            others = connection.execute(text("SELECT pid FROM pg_stat_activity")).scalars().all()
        self._admin.dispose()
        family = (self._server.get_pid(), *others)
        for pid in family:
            with suppress(ProcessLookupError):  # it noticed already that its postmaster is gone
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(map(_is_there, family)))

    def start(self) -> None:
        self._server.ensure_postgres_running()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def mortal_postgresql() -> Iterator[MortalPostgreSQL]:
    """Not below pytest's own folders: run by root, PostgreSQL becomes another user, who may not enter those."""
    with TemporaryDirectory(prefix="authserver-mortal-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        server = MortalPostgreSQL(Path(folder) / "data")
        yield server
        server.stop()
