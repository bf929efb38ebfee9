"""What the bench says of what it found: the shape of its JSON, and a table that leaves no goal out."""

from benchmarks import report
from benchmarks.goals import GOALS, GUARD_PYJWT, GUARD_RAW, JWKS, NOT_HERE, Judged
from benchmarks.records import Record, as_json
from benchmarks.rounds import Sample, Spread

SAMPLES = (
    Sample(10_000.0, 1.0, 2.0, 50.123456),
    Sample(12_000.0, 1.2, 2.4, 40.0),
    Sample(11_000.0, 1.1, 9.9),
)
FOUND = Spread(0.9, 0.85, 0.92)
RECORD = Record(
    work="jwks",
    subject="authserver",
    workers=1,
    samples=SAMPLES,
    rss_mb=80.5,
    ratios={"bare ASGI": FOUND},
    judged=(Judged(JWKS, FOUND),),
)


def test_an_entry_has_the_agreed_members_and_medians() -> None:
    assert as_json(RECORD) == [
        {
            "work": "jwks",
            "subject": "authserver",
            "workers": 1,
            "database": None,
            "per_second": 11_000.0,
            "p50_ms": 1.1,
            "p99_ms": 2.4,
            "cpu_us": 45.06,
            "rss_mb": 80.5,
            "ratios": {"bare ASGI": 0.9},
            "goal": {
                "of": "share of bare ASGI",
                "unit": "",
                "found": 0.9,
                "must": 0.8,
                "aim": 0.95,
                "met": True,
            },
        }
    ]


def test_a_subject_with_two_goals_has_two_entries_and_one_without_has_one() -> None:
    judged = (Judged(GUARD_PYJWT, Spread.of([4.0])), Judged(GUARD_RAW, Spread.of([0.5])))
    two = as_json(Record(work="guard", subject="Guard", judged=judged))
    assert [(entry["goal"]["must"], entry["goal"]["met"]) for entry in two] == [(3.0, True), (0.65, False)]
    assert [entry["goal"] for entry in as_json(Record(work="guard", subject="joserfc"))] == [None]


def test_the_table_names_every_goal_and_what_cannot_be_measured_here() -> None:
    lines = list(report.goals(RECORD.judged, ["jwks"], ["PostgreSQL: not installed"]))
    assert len(lines) == len(GOALS) + len(NOT_HERE) + 1
    assert [line for line in lines if "met" in line.split()[:1]] == [
        "  met                 jwks: share of bare ASGI: 0.9 [0.85 … 0.92] (must at least 0.8, aim 0.95)"
    ]
    assert lines[-1].split()[:2] == ["left", "out"]


def test_a_row_shows_its_figures_and_the_ratio_below() -> None:
    first, second = report.row([RECORD])
    assert first.split("  ")[1] == "authserver, 1 worker"
    assert "11 000 [10 000 … 12 000] /s" in first
    assert second.strip() == "0.9 [0.85 … 0.92] of bare ASGI"


def test_errors_are_shown_with_the_figures() -> None:
    broken = Record(work="jwks", subject="authserver", samples=(Sample(1.0, errors=3),))
    assert "3 ERRORS" in next(report.row([broken]))
