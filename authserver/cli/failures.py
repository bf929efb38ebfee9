"""Expected failures in one table: what each means to the operator, and its exit code. What is not here is a bug."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from alembic.util import CommandError
from sqlalchemy.exc import ArgumentError, DBAPIError

from authserver import schema
from authserver.accounts.passwords import UnacceptablePassword
from authserver.accounts.profile import BadClaim
from authserver.accounts.store import UsernameTaken
from authserver.accounts.usernames import InvalidUsername
from authserver.cli.answers import Refused
from authserver.database import Database, DatabaseBusy, DatabaseShut, DatabaseUnavailable
from authserver.keyring.files import KeyFolderUnsafe
from authserver.keyring.vault import PrivateKeyMissing
from authserver.settings import SettingsError

UPGRADE: Final = "run `authserver db upgrade`"


@dataclass(frozen=True, slots=True)
class Failure:
    """One line for each problem, and 1 (the answer is no) or 2 (usage or settings)."""

    code: int
    problems: tuple[str, ...]


Row = tuple[type[Exception], int, Callable[[Exception], str]]

TABLE: Final[tuple[Row, ...]] = (
    (DatabaseBusy, 1, lambda error: f"{error}: try again in a moment"),
    (DatabaseShut, 1, str),
    (DatabaseUnavailable, 1, lambda error: f"{error}: check database_url, and that the database runs"),
    (KeyFolderUnsafe, 1, str),
    (PrivateKeyMissing, 1, str),
    (UsernameTaken, 1, lambda error: f"there is an account {error} already: choose another name"),
    (InvalidUsername, 1, str),
    (BadClaim, 2, str),
    (UnacceptablePassword, 1, str),
    (
        PermissionError,
        1,
        lambda error: f"{_file(error)} may not be used by this user: run as whoever runs the server",
    ),
    (
        CommandError,
        1,
        lambda _: (
            "the database is at a revision that this release does not know: install the release that made it"
        ),
    ),
    (ArgumentError, 2, lambda _: "database_url cannot be read: write it as postgresql://user@host/name"),
)


def explain(error: Exception, database: Database | None) -> Failure | None:
    """Answer what to tell the operator; None for what nobody expected.

    :param database: the one that was used, so that it can be asked whether it was ever migrated.
    """
    if isinstance(error, Refused):
        return Failure(error.code, (str(error),))
    if isinstance(error, SettingsError):
        return Failure(2, tuple(error.problems))
    advice = _about_the_database(error, database)
    if advice is not None:
        return Failure(1, (advice,))
    if isinstance(error, ModuleNotFoundError) and error.name == "psycopg":
        return Failure(2, ('PostgreSQL needs its driver: pip install "authserver[postgres]"',))
    found = next(((code, say(error)) for kind, code, say in TABLE if isinstance(error, kind)), None)
    return Failure(found[0], (found[1],)) if found else None


def _about_the_database(error: Exception, database: Database | None) -> str | None:
    """A missing table looks like an outage to the driver: look whether the database was ever migrated."""
    cause = error.__cause__ or error
    if getattr(getattr(cause, "orig", cause), "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
        return "the database's file is no SQLite database: check --data and database_url"
    if (
        database is None
        or isinstance(error, DatabaseBusy)
        or not isinstance(error, DatabaseUnavailable | DBAPIError)
    ):
        return None
    try:
        revisions = schema.revisions(database)
    except (DatabaseUnavailable, DBAPIError):
        return None
    if revisions.up_to_date:
        return None
    if revisions.current is None:
        return f"the database has no tables yet: {UPGRADE}"
    return (
        f"the database is at revision {revisions.current}, this release wants {revisions.wanted}: {UPGRADE}"
    )


def _file(error: Exception) -> str:
    return str(getattr(error, "filename", None) or "a file")
