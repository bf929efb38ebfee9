"""One call of one verb: what was said on the command line, and everything a verb needs to answer it.

Settings are read and capabilities built when a verb first asks for them, so a verb that needs neither is quick.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from authserver.cli.answers import Refused, safe

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from authserver.capabilities import Capabilities, Outside
    from authserver.database import Database, Step
    from authserver.settings import Settings, Source

T = TypeVar("T")


def _person_at_terminal() -> bool:
    return sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a test may replace: the world outside the capabilities, and whether a person can be asked."""

    outside: "Outside | None" = None
    at_terminal: Callable[[], bool] = _person_at_terminal


class Rehearsed(Exception):
    """Ends a transaction that was only tried."""


class Call:
    """Holds nothing beyond one verb's run."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        data: Path | None,
        config: Path | None,
        dry_run: bool = False,
        quiet: bool = False,
    ) -> None:
        self.dry_run = dry_run
        self._quiet = quiet
        self.at_terminal = surroundings.at_terminal
        self._outside = surroundings.outside
        self._data = data
        self._config = config

    @cached_property
    def settings(self) -> "Settings":
        """The settings, with `--data` above all.

        :raises SettingsError: they cannot be used.
        """
        from authserver.settings import load  # noqa: PLC0415 - 0.2 s that `version` need not spend

        return load(self._config, **({"data": self._data} if self._data else {}))

    @cached_property
    def sources(self) -> "dict[str, Source]":
        """Where each setting comes from, whether or not they can be used."""
        from authserver.settings import provenance  # noqa: PLC0415 - as above

        return provenance(self._config, **({"data": self._data} if self._data else {}))

    @cached_property
    def built(self) -> "Capabilities":
        """The capabilities, whether or not there is a database yet."""
        from authserver.capabilities import build  # noqa: PLC0415 - as above, 0.5 s

        return build(self.settings, self._outside)

    @cached_property
    def parts(self) -> "Capabilities":
        """The capabilities. SQLite would make a missing file, and so hide a wrong `--data`: refuse that.

        :raises Refused: there is no database.
        """
        missing = missing_file(self.built)
        if missing is not None:
            raise Refused(
                f"there is no database at {missing}: check --data, or run `authserver db upgrade` to make one"
            )
        return self.built

    @property
    def now(self) -> datetime:
        return self.built.clock.now()

    def read(self, step: "Step[T]") -> T:
        return self.parts.database.read(step)

    def write(self, step: "Step[T]") -> T:
        """Run a step as one transaction. A dry run does the very same and undoes it, so it cannot differ."""
        if not self.dry_run:
            return self.parts.database.write(step)
        answers: list[T] = []

        def rehearsal(db: "Connection") -> None:
            answers.append(step(db))
            raise Rehearsed

        with suppress(Rehearsed):
            self.parts.database.write(rehearsal)
        return answers[-1]

    def tell(self, line: str) -> None:
        """Say something on the way to the answer: on standard error, and to a person only."""
        if not self._quiet:
            typer.echo(safe(line), err=True)

    def pause(self, seconds: float) -> None:
        """Wait, by the clock that a test may replace."""
        import asyncio  # noqa: PLC0415 - few verbs wait

        clock = self.built.clock
        asyncio.run(clock.reach(clock.now() + timedelta(seconds=seconds)))

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask a person, unless `--yes` was said or nothing will change.

        :raises Refused: nobody agreed.
        """
        if yes or self.dry_run:
            return
        if not self.at_terminal():
            raise Refused("nobody can be asked here: add --yes if you mean it")
        if not typer.confirm(question, err=True):
            raise Refused("not confirmed, so nothing was changed")

    @property
    def database(self) -> "Database | None":
        """The database, if this verb came so far as to use one."""
        built = self.__dict__.get("built")  # a cached property that was never asked for is not there
        return built.database if built else None

    def close(self) -> None:
        if self.database is not None:
            self.database.close()


def missing_file(parts: "Capabilities") -> Path | None:
    """Answer where SQLite's file should be, if it is not there."""
    database = parts.database
    if not database.embedded or not database.url.database:
        return None
    file = Path(database.url.database)
    return None if file.is_file() else file
