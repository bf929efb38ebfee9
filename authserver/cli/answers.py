"""What a verb answers: facts for a program (`--json`), lines and tables for a person.

A user agent, a display name or a claim is a stranger's text. A terminal obeys escape codes in it and swaps the order
of letters for it, so whatever is printed for a person has every such character written out (SECURITY X04); JSON is
ASCII anyway.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import typer

from authserver.cli.times import iso

PIPE_WIDTH: Final = 10_000  # a pipe is never too narrow: nothing is folded or cut for a program


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header; an empty header makes it a list of names and values."""

    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """`facts` are plain values and aware datetimes; `body` says the same to a person; `code` is the exit code."""

    facts: Mapping[str, Any]
    body: Sequence[str | Table]
    code: int = 0


class Refused(Exception):
    """The answer is no and nothing was changed; the message says why and what to do instead."""

    def __init__(self, message: str, *, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


def show(answer: Answer, *, as_json: bool, dry_run: bool) -> None:
    """Print an answer on standard output."""
    if as_json:
        facts = {**answer.facts, "dry_run": True} if dry_run else answer.facts
        typer.echo(json.dumps(facts, default=_plain, indent=2))
        return
    if dry_run:
        typer.echo("Dry run: nothing was changed. What would happen:")
    for part in answer.body:
        if isinstance(part, Table):
            _show_table(part)
        else:
            typer.echo(safe(part))


def show_failure(problems: Sequence[str], *, as_json: bool) -> None:
    """Print what went wrong on standard error."""
    if as_json:
        typer.echo(json.dumps({"error": "; ".join(problems), "problems": list(problems)}), err=True)
        return
    for problem in problems:
        typer.echo(f"Error: {safe(problem)}", err=True)


def safe(text: str) -> str:
    """Write out what a terminal would obey: escape codes, C1 codes, marks that change the direction of writing."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"an answer holds no {type(value).__name__}")


def _show_table(table: Table) -> None:
    from rich.console import Console  # noqa: PLC0415 - 50 ms that `version` and a JSON answer need not spend
    from rich.table import Table as Grid  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    if not table.rows:
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
    grid = Grid(
        box=None, pad_edge=False, show_header=bool(table.header), header_style="bold", padding=(0, 2, 0, 0)
    )
    for title in table.header or [""] * len(table.rows[0]):
        grid.add_column(title.upper(), overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(safe(cell)) for cell in row))
    with console.capture() as printed:
        console.print(grid)
    for line in printed.get().splitlines():
        typer.echo(line.rstrip())
