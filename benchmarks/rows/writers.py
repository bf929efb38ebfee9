"""`writers`: 32 browsers that write at once, for the one that waits longest: they sign out.

With one worker, and with two that compete for SQLite's write lock across processes.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Final

from benchmarks.goals import SQLITE, WRITERS, Judged
from benchmarks.records import Record
from benchmarks.rounds import Samples, Spread, interleave, ratio
from benchmarks.rows.sign_outs import A_ROUND, SignOuts
from benchmarks.stand import Stand, with_cpu

OURS: Final = "authserver"
Subject = tuple[str, int]


def writers(stand: Stand) -> list[Record]:
    people = A_ROUND * (stand.rounds + 2)  # and what warms up
    embedded, *others = stand.installed_on_both(people=people)
    shared = stand.installed(people=people)
    installations = {(each.database, 1): each for each in (embedded, *others)} | {(SQLITE, 2): shared}
    with ExitStack() as ends:
        subjects = {}
        for (database, workers), installed in installations.items():
            server = ends.enter_context(stand.serving(installed, workers=workers))
            subjects[f"{database} {workers}"] = with_cpu(server, SignOuts(installed))
        taken = interleave(subjects, stand.rounds, stand.seconds)
    found = dict(zip(installations, taken.values(), strict=True))
    return [_record(subject, found) for subject in found]


def _record(subject: Subject, found: Mapping[Subject, Samples]) -> Record:
    database, workers = subject
    samples = found[subject]
    slowest = Spread.of(sample.p99_ms for sample in samples if sample.p99_ms is not None)
    errors = sum(sample.errors for sample in samples)
    ratios = {} if database == SQLITE else {SQLITE: ratio(samples, found[SQLITE, workers])}
    judged = (Judged(WRITERS, slowest, errors),) if (database, workers) == (SQLITE, 1) else ()
    return Record(
        work="writers",
        subject=OURS,
        workers=workers,
        database=database,
        samples=samples,
        ratios=ratios,
        judged=judged,
    )
