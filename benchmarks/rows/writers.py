"""`writers`: 32 browsers that write at once, for the one that waits longest.

With one worker, and with two that compete for SQLite's write lock across processes.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

from benchmarks.goals import SQLITE, WRITERS, WRITERS_POSTGRESQL, Judged
from benchmarks.records import Record
from benchmarks.rounds import Samples, Spread, interleave, ratio
from benchmarks.rows.renewals import PEOPLE, renew
from benchmarks.stand import Stand, with_cpu

OURS: Final = "authserver"
Subject = tuple[str, int]


def writers(stand: Stand) -> list[Record]:
    subjects, names = {}, {}
    with ExitStack() as ends:
        for workers, installed in (
            (n, each) for n in (1, 2) for each in stand.installed_on_both(people=PEOPLE)
        ):
            server = ends.enter_context(stand.serving(installed, workers=workers))
            name = f"{installed.database} {workers}"
            names[name] = (installed.database, workers)
            subjects[name] = with_cpu(server, partial(renew, installed))
        taken = interleave(subjects, stand.rounds, stand.seconds)
    found = {names[name]: samples for name, samples in taken.items()}
    return [_record(subject, found) for subject in found]


def _record(subject: Subject, found: Mapping[Subject, Samples]) -> Record:
    database, workers = subject
    samples = found[subject]
    slowest = Spread.of(sample.p99_ms for sample in samples if sample.p99_ms is not None)
    errors = sum(sample.errors for sample in samples)
    ratios, judged = {}, (Judged(WRITERS, slowest, errors),)
    if database != SQLITE:
        ratios[SQLITE] = ratio(samples, found[SQLITE, workers])
        judged = (Judged(WRITERS_POSTGRESQL, ratios[SQLITE], errors),)
    return Record(
        work="writers",
        subject=OURS,
        workers=workers,
        database=database,
        samples=samples,
        ratios=ratios,
        judged=judged if workers == 1 else (),
    )
