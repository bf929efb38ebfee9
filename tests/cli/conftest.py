"""The command line as a test drives it: in this process, on both databases, with nothing of its own replaced."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table
from typer.testing import CliRunner, Result

from authserver import schema
from authserver.capabilities import Outside
from authserver.cli.call import Surroundings
from authserver.cli.nouns import app
from authserver.database import Database
from tests.conftest import ISSUER, KEK

# For what no database has a part in: a clone of PostgreSQL's takes longer than such a test.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass
class Cli:
    """Runs `authserver WORDS…`; keeps all that was ever printed, to be searched for secrets."""

    outside: Outside
    env: dict[str, str | None]
    person: bool = False
    printed: list[str] = field(default_factory=list)

    def __call__(self, *words: str, stdin: str | bytes | None = None) -> Result:
        surroundings = Surroundings(self.outside, lambda: self.person)
        result = CliRunner().invoke(
            app, words, input=stdin, env=self.env, obj=surroundings, prog_name="authserver"
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.printed.append(result.output)
        return result

    def facts(self, *words: str, stdin: str | bytes | None = None, code: int = 0) -> Any:
        """The answer as a program reads it."""
        result = self(*words, "--json", stdin=stdin)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    def refusal(self, *words: str, stdin: str | bytes | None = None, code: int = 1) -> str:
        """One sentence on standard error, nothing on standard output; the same as JSON."""
        result, as_json = self(*words, stdin=stdin), self(*words, "--json", stdin=stdin)
        assert (result.exit_code, as_json.exit_code) == (code, code), result.output
        assert (result.stdout, as_json.stdout) == ("", "")
        sentence = result.stderr.removeprefix("Error: ").strip()
        assert json.loads(as_json.stderr)["error"] == sentence
        return sentence


@pytest.fixture
def cli(database_url: str, tmp_path: Path, outside: Outside) -> Cli:
    env: dict[str, str | None] = {
        "AUTHSERVER_ISSUER": ISSUER,
        "AUTHSERVER_DATA": str(tmp_path),
        "AUTHSERVER_DATABASE_URL": database_url,
        "AUTHSERVER_KEY_ENCRYPTION_KEY": KEK,
    }
    return Cli(outside, env)


@pytest.fixture
def first(cli: Cli) -> str:
    """The kid of the first key, which signs; a next one is published."""
    return str(cli.facts("keys", "rotate")["active"])


def everything(database: Database, folder: Path) -> dict[str, list[Any]]:
    """Every row of every table, and every private key file."""

    def rows(table: Table) -> list[Any]:
        return database.read(lambda db: sorted(map(repr, db.execute(table.select()))))

    tables = {table.name: rows(table) for table in schema.metadata.sorted_tables}
    return {**tables, "keys": sorted((file.name, file.read_bytes()) for file in folder.glob("keys/*"))}
