"""The test stand that every row is given: how long to measure, and where servers, folders and databases come from."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from authserver.capabilities import Outside
from authserver.protocol import paths
from benchmarks import postgres
from benchmarks.installation import Installation, install
from benchmarks.processes import Server, free_port, uvicorn
from benchmarks.rounds import Measure, Sample

CONNECTIONS: Final = 32


class Stand:
    """One run. PostgreSQL is started when a row first asks for it, and ends with the run."""

    def __init__(
        self, folder: Path, *, rounds: int, seconds: float, ends: ExitStack, outside: Outside | None = None
    ) -> None:
        self.rounds = rounds
        self.seconds = seconds
        self._folder = folder
        self._ends = ends
        self._outside = outside
        self._numbers = itertools.count(1)
        self._create_database: Callable[[], str] | None = None

    def folder(self) -> Path:
        return self._folder / f"{next(self._numbers):03}"

    def installed(self, *, people: int = 0, database_url: str = "") -> Installation:
        return install(
            self.folder(), free_port(), people=people, database_url=database_url, outside=self._outside
        )

    def installed_on_both(self, *, people: int) -> list[Installation]:
        """One installation for each database at hand, SQLite first."""
        urls = ["", self._postgresql()] if postgres.available() else [""]
        return [self.installed(people=people, database_url=url) for url in urls]

    @contextmanager
    def serving(self, installed: Installation, *, workers: int = 1) -> Iterator[Server]:
        """Run our server on an installation."""
        log = Path(installed.chosen["data"]) / "server.log"
        with uvicorn(
            "authserver.app:serve",
            installed.port,
            installed.environment,
            log,
            ready=paths.JWKS,
            workers=workers,
        ) as server:
            yield server

    def _postgresql(self) -> str:
        if self._create_database is None:
            self._create_database = self._ends.enter_context(postgres.running(self._folder / "postgresql"))
        return self._create_database()


def with_cpu(server: Server, measure: Measure) -> Measure:
    """Add what each answer cost the server in processor time."""

    def measured(seconds: float) -> Sample:
        before = server.cpu_seconds()
        sample = measure(seconds)
        spent = server.cpu_seconds() - before
        return replace(sample, cpu_us=spent / sample.operations * 1e6 if sample.operations else None)

    return measured
