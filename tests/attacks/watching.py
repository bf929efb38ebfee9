"""Counting what a request costs: statements on the database, password hashes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2.low_level import Type, verify_secret
from sqlalchemy import event

from authserver.app import Server
from authserver.database import Database


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Collect every statement but the transaction's own words."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


class HashGate:
    """Counts a server's password verifications, and holds them while it is shut."""

    def __init__(self, server: Server) -> None:
        self.count = 0
        self._open = threading.Event()
        self._open.set()
        self.reached = threading.Event()
        server.capabilities.hasher._verify = self._verify

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def _verify(self, stored: bytes, password: bytes, kind: Type) -> bool:
        self.count += 1
        self.reached.set()
        assert self._open.wait(20)
        return verify_secret(stored, password, kind)
