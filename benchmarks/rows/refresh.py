"""`refresh`: POST /session/refresh, what it asks of the database, and its rate against RSA signing alone."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial
from time import perf_counter
from typing import Final

from authserver.app import create_app
from benchmarks.goals import RAW_SIGN, REFRESH_POSTGRESQL, REFRESH_READS, REFRESH_WRITES, SQLITE, Goal, Judged
from benchmarks.installation import Installation
from benchmarks.records import Record
from benchmarks.rounds import Measure, Operation, Sample, Samples, Spread, interleave, ratio
from benchmarks.rows.mint import raw_sign
from benchmarks.rows.renewals import PEOPLE, renew
from benchmarks.rows.statements import READS, WRITES, of_refresh
from benchmarks.stand import Stand, with_cpu

OURS: Final = "authserver"
WORK: Final = "refresh"


def refresh(stand: Stand) -> list[Record]:
    installations = {each.database: each for each in stand.installed_on_both(people=PEOPLE)}
    words = {database: of_refresh(installed) for database, installed in installations.items()}
    subjects: dict[str, Measure] = {RAW_SIGN: raw_signing(installations[SQLITE])}
    with ExitStack() as ends:
        for database, installed in installations.items():
            server = ends.enter_context(stand.serving(installed))
            subjects[database] = with_cpu(server, partial(renew, installed))
        taken = interleave(subjects, stand.rounds, stand.seconds)
    records = [_renewed(database, taken, words[database]) for database in installations]
    return [*records, Record(work=WORK, subject=RAW_SIGN, samples=taken[RAW_SIGN])]


def raw_signing(installed: Installation) -> Measure:
    """RSA signing and nothing else, with this installation's key."""
    return partial(_sign, _raw_sign(installed))


def _raw_sign(installed: Installation) -> Operation:
    server = create_app(installed.settings)
    with closing(server.capabilities.database), closing(server.runner):
        server.start()
        return raw_sign(server.tokens.signer(), b"x" * 600)


def _sign(operation: Operation, seconds: float) -> Sample:
    """One thread, by the clock on the wall, as the server's rate is."""
    began, count = perf_counter(), 0
    while (took := perf_counter() - began) < seconds:
        operation()
        count += 1
    return Sample(count / took, cpu_us=took / count * 1e6, operations=count)


def _renewed(database: str, taken: Mapping[str, Samples], words: Counter[str]) -> Record:
    ratios = {RAW_SIGN: ratio(taken[database], taken[RAW_SIGN])}
    errors = sum(sample.errors for sample in taken[database])
    judged = [_count(REFRESH_READS, words, READS), _count(REFRESH_WRITES, words, WRITES)]
    if database != SQLITE:
        ratios[SQLITE] = ratio(taken[database], taken[SQLITE])
        judged = [Judged(REFRESH_POSTGRESQL, ratios[SQLITE], errors)]
    return Record(
        work=WORK,
        subject=OURS,
        workers=1,
        database=database,
        samples=taken[database],
        ratios=ratios,
        judged=tuple(judged),
        note="statements: " + ", ".join(f"{count} × {word}" for word, count in sorted(words.items())),
    )


def _count(goal: Goal, words: Counter[str], kind: frozenset[str]) -> Judged:
    return Judged(goal, Spread.of([sum(count for word, count in words.items() if word in kind)]))
