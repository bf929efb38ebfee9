"""The words of the bench: a block for each row, and the table of goals at the end."""

from collections.abc import Collection, Iterator, Sequence

from benchmarks.goals import GOALS, NOT_HERE, Goal, Judged
from benchmarks.records import Record
from benchmarks.rounds import Spread


def row(records: Sequence[Record]) -> Iterator[str]:
    """One line for each subject, and under it what it was compared with."""
    for record in records:
        yield f"  {_name(record):<52}  {_figures(record)}".rstrip()
        for other, spread in record.ratios.items():
            yield f"  {'':<4}{spread_text(spread)} of {other}"
        if record.note:
            yield f"  {'':<4}{record.note}"


def goals(judged: Sequence[Judged], chosen: Collection[str], left_out: Sequence[str]) -> Iterator[str]:
    """Every goal: met, missed, or why it was not measured."""
    found = {each.goal: each for each in judged}
    for goal in GOALS:
        yield _goal(goal, found.get(goal), chosen)
    for what, why in NOT_HERE.items():
        yield f"  {'not measured here':<20}{what}: {why}"
    for what in left_out:
        yield f"  {'left out':<20}{what}"


def spread_text(spread: Spread, unit: str = "") -> str:
    low, high = _number(spread.low), _number(spread.high)
    middle = f"{_number(spread.median)}{f' {unit}' if unit else ''}"
    return middle if low == high else f"{middle} [{low} … {high}]"


def _goal(goal: Goal, judged: Judged | None, chosen: Collection[str]) -> str:
    limits = f"must {goal.need} {goal.must:g}" + ("" if goal.aim is None else f", aim {goal.aim:g}")
    what = f"{goal.row}: {goal.of}"
    if judged is None:
        why = "its subject was left out" if goal.row in chosen else "row not chosen"
        return f"  {'not in this run':<20}{what} ({limits}): {why}"
    errors = f"; {judged.errors} ERRORS" if judged.errors else ""
    return f"  {judged.verdict:<20}{what}: {spread_text(judged.found, goal.unit)} ({limits}){errors}"


def _name(record: Record) -> str:
    workers = f"{record.workers} worker{'s' if record.workers != 1 else ''}" if record.workers else None
    return ", ".join(part for part in (record.subject, workers, record.database) if part)


def _figures(record: Record) -> str:
    shown = [f"{spread_text(record.per_second)} /s"] if record.per_second else []
    for name, before, after in (
        ("p50_ms", "p50 ", " ms"),
        ("p99_ms", "p99 ", " ms"),
        ("cpu_us", "CPU ", " µs"),
    ):
        value = record.median_of(name)
        shown += [] if value is None else [f"{before}{_number(value)}{after}"]
    shown += [] if record.rss_mb is None else [f"RSS {record.rss_mb:.0f} MB"]
    shown += [f"{record.errors} ERRORS"] if record.errors else []
    return "  ".join(shown)


def _number(value: float) -> str:
    """Three figures, without an exponent: 34 800, 96.3, 0.871."""
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")
    return f"{value:.3g}"
