"""What the bench found out about one subject in one row, for people (`report.py`) and as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.goals import Judged, Verdict
from benchmarks.rounds import Sample, Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A subject's rounds, its ratios to other subjects of the same rounds, and the goals it is held to."""

    work: str
    subject: str
    workers: int | None = None
    database: str | None = None
    samples: tuple[Sample, ...] = ()
    rss_mb: float | None = None
    ratios: Mapping[str, Spread] = field(default_factory=dict)
    judged: tuple[Judged, ...] = ()
    note: str = ""

    @property
    def per_second(self) -> Spread | None:
        return Spread.of(sample.per_second for sample in self.samples) if self.samples else None

    @property
    def errors(self) -> int:
        return sum(sample.errors for sample in self.samples)

    def median_of(self, name: str) -> float | None:
        """The median over the rounds of one of a sample's figures; None when no round has it."""
        found = [value for sample in self.samples if (value := getattr(sample, name)) is not None]
        return median(found) if found else None


def as_json(record: Record) -> list[dict[str, Any]]:
    """One entry for each goal, so that an entry has one `goal`; a subject without a goal has one entry without."""
    facts = {
        "work": record.work,
        "subject": record.subject,
        "workers": record.workers,
        "database": record.database,
        "per_second": _rounded(record.per_second.median if record.per_second else None),
        "p50_ms": _rounded(record.median_of("p50_ms")),
        "p99_ms": _rounded(record.median_of("p99_ms")),
        "cpu_us": _rounded(record.median_of("cpu_us")),
        "rss_mb": _rounded(record.rss_mb),
        "ratios": {name: _rounded(spread.median) for name, spread in record.ratios.items()},
    }
    return [{**facts, "goal": goal} for goal in map(_goal, record.judged)] or [{**facts, "goal": None}]


def _goal(judged: Judged) -> dict[str, Any]:
    goal = judged.goal
    return {
        "of": goal.of,
        "unit": goal.unit,
        "found": _rounded(judged.found.median),
        "must": goal.must,
        "aim": goal.aim,
        "met": judged.verdict is not Verdict.MISSED,
    }


def _rounded(value: float | None) -> float | None:
    """Four figures: more would claim a precision that no round has."""
    return None if value is None else float(f"{value:.4g}")
