"""`authserver keys drill`: how it is asked for, what it says while it runs and when it is done."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.clock import SystemClock

if TYPE_CHECKING:
    from authserver.drill.conduct import Progress
    from authserver.drill.drill import Outcome
    from authserver.drill.plan import Plan

MOST_VERIFICATIONS: Final = 10_000_000
ENDED: Final = (
    "the drill was ended from outside and proves nothing; whatever it had started is stopped and removed"
)
NARROW: Final = 5  # columns: what may happen at the worst stands in the report

Short = Annotated[
    bool, typer.Option("--short", help="One promotion and the emergency, in about a quarter of a minute.")
]
Seconds = Annotated[
    int | None,
    typer.Option(min=10, max=3_600, help="How long it may take; default 60. More: more promotions."),
]
Verifications = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MOST_VERIFICATIONS,
        help="At least so many; default 100000, and 10000 in less than a minute.",
    ),
]
Report = Annotated[
    Path | None,
    typer.Option(help="Write report.json, report.md and timeline.svg there.", metavar="FOLDER"),
]


def drill(
    call: Call,
    *,
    short: Short = False,
    seconds: Seconds = None,
    verifications: Verifications = None,
    report: Report = None,
) -> Answer:
    """Prove that a rotation cannot be noticed: rotate for real under load, and count what verifiers refuse.

    A throw-away installation with a server of its own on loopback; yours is not touched, whatever --data says. Exit
    code 1 if there was a failure.

    Example: authserver keys drill

    Example: authserver keys drill --short --json

    Example: authserver keys drill --seconds 300 --verifications 1000000 --report drill-report
    """
    from authserver.drill.plan import SECONDS, SHORT_SECONDS, plan_for  # noqa: PLC0415 - only this verb needs it

    if short and seconds is not None:
        raise Refused("--short is --seconds 14: say one of the two", code=2)
    if report is not None:
        _refuse_unusable(report, make=not call.dry_run)
    chosen = plan_for(SHORT_SECONDS if short else seconds or SECONDS, verifications)
    if call.dry_run:
        return _announced(chosen)
    return _answer(_run(chosen), report)


def _refuse_unusable(folder: Path, *, make: bool) -> None:
    """Learn now, and not after a minute of load, that the report cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise Refused(f"--report: {folder} is a file, not a folder", code=2)
    if not make:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Refused(f"--report: nothing can be written in {folder} ({error.strerror})", code=2) from None


def _run(plan: "Plan") -> "Outcome":
    from authserver.drill.drill import drill as run  # noqa: PLC0415 - the whole server stands behind it
    from authserver.drill.processes import DrillBroken  # noqa: PLC0415 - as above

    with _ending_by_sigterm(), _progress() as say:
        try:
            return run(plan, os.environ, SystemClock(), say)
        except DrillBroken as broken:
            raise Refused(f"the drill could not be run to its end: {broken}") from None
        except KeyboardInterrupt:
            raise Refused(ENDED) from None


@contextmanager
def _ending_by_sigterm() -> Iterator[None]:
    """End as by Ctrl-C: else the server and the verifiers would go on without us."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress() -> Iterator[Callable[["Progress"], None]]:
    """One line on a terminal's standard error, written anew; nothing for a program."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    try:
        yield lambda now: typer.echo(
            f"\r\x1b[K{now.seconds:5.1f} s  {now.verifications:>9,} verifications  {now.doing}",
            err=True,
            nl=False,
        )
    finally:
        typer.echo("\r\x1b[K", err=True, nl=False)


def _announced(plan: "Plan") -> Answer:
    from authserver.drill.verifiers import KINDS  # noqa: PLC0415 - as above

    steps = [(f"{step.at:.1f} s", step.what, step.why) for step in plan.steps()]
    kinds = [(kind.title, kind.habit if kind.installed else kind.advice) for kind in KINDS]
    facts = {
        "promotions": plan.promotions,
        "verifications": plan.verifications,
        "seconds": plan.seconds,
        "steps": [{"at": step.at, "what": step.what, "why": step.why} for step in plan.steps()],
        "verifiers": [
            {"title": kind.title, "habit": kind.habit, "installed": kind.installed} for kind in KINDS
        ],
    }
    return Answer(
        facts, [Table(("after", "what", "because"), steps), "", Table(("verifier", "habit"), kinds)]
    )


def _answer(outcome: "Outcome", folder: Path | None) -> Answer:
    from authserver.drill import report  # noqa: PLC0415 - as above
    from authserver.drill.words import headline, summary  # noqa: PLC0415 - as above

    facts: dict[str, Any] = report.facts(outcome)
    table = Table(report.HEADER[:NARROW], [row[:NARROW] for row in report.rows(outcome)])
    body: list[str | Table] = [headline(outcome), summary(outcome), "", table]
    body += [f"{kind.title}: {kind.advice}" for kind in outcome.missing]
    body += ["", *report.failures(outcome)] if outcome.failures else []
    if folder is not None:
        files = report.write(outcome, folder)
        facts["report"] = [str(file) for file in files]
        body += ["", f"Written: {', '.join(map(str, files))}"]
    return Answer(facts, body, code=1 if outcome.failures else 0)
