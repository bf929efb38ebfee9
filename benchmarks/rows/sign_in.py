"""`sign-in`: POST /login with real Argon2 parameters and real limits, against Argon2 and nothing else.

While people sign in, one client goes on asking for the JWKS every 10 ms: hashing must not be felt by anyone else. And
when more come than may wait, the rest is told to come back, at once.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from time import perf_counter

from argon2.low_level import Type, verify_secret

from benchmarks.goals import ARGON2, SIGN_IN, SIGN_IN_FULL, SIGN_IN_JWKS, SIGN_IN_POSTGRESQL, SQLITE, Judged
from benchmarks.installation import PASSWORD, Installation
from benchmarks.load.plan import Tally
from benchmarks.records import Record
from benchmarks.rounds import Measure, Sample, Samples, Spread, interleave, ratio
from benchmarks.rows.crowd import CLIENTS, TOO_MANY, Crowd, rush
from benchmarks.stand import Stand, with_cpu

WORK = "sign-in"
OURS = "authserver"


def sign_in(stand: Stand) -> list[Record]:
    installations = {each.database: each for each in stand.installed_on_both(people=CLIENTS + TOO_MANY)}
    crowds = {database: Crowd(installed) for database, installed in installations.items()}
    with ExitStack() as ends:
        subjects: dict[str, Measure] = {ARGON2: partial(_argon2, _hash(installations[SQLITE]))}
        servers = {
            database: ends.enter_context(stand.serving(installed))
            for database, installed in installations.items()
        }
        subjects |= {name: with_cpu(server, crowds[name].sign_in) for name, server in servers.items()}
        taken = interleave(subjects, stand.rounds, stand.seconds)
        full = rush(installations[SQLITE])
    records = [_signed_in(database, taken) for database in installations]
    records += [_meanwhile(database, tuple(crowd.probes[1:])) for database, crowd in crowds.items()]
    return [*records, _full(full), Record(work=WORK, subject=ARGON2, samples=taken[ARGON2])]


def _hash(installed: Installation) -> bytes:
    return (installed.accounts[0].password_hash or "").encode()


def _argon2(stored: bytes, seconds: float) -> Sample:
    """Verify in as many threads as there are cores, like the server."""
    threads, began = os.cpu_count() or 1, perf_counter()

    def work() -> int:
        done = 0
        while perf_counter() < began + seconds:
            verify_secret(stored, PASSWORD.encode(), Type.ID)
            done += 1
        return done

    with ThreadPoolExecutor(threads) as executor:
        count = sum(future.result() for future in [executor.submit(work) for _ in range(threads)])
    return Sample(count / (perf_counter() - began), operations=count)


def _signed_in(database: str, taken: Mapping[str, Samples]) -> Record:
    ratios = {ARGON2: ratio(taken[database], taken[ARGON2])}
    errors = sum(sample.errors for sample in taken[database])
    judged = Judged(SIGN_IN, ratios[ARGON2], errors)
    if database != SQLITE:
        ratios[SQLITE] = ratio(taken[database], taken[SQLITE])
        judged = Judged(SIGN_IN_POSTGRESQL, ratios[SQLITE], errors)
    return Record(
        work=WORK,
        subject=OURS,
        workers=1,
        database=database,
        samples=taken[database],
        ratios=ratios,
        judged=(judged,),
    )


def _meanwhile(database: str, probes: Samples) -> Record:
    slowest = Spread.of(probe.p99_ms for probe in probes if probe.p99_ms is not None)
    judged = Judged(SIGN_IN_JWKS, slowest, sum(probe.errors for probe in probes))
    return Record(
        work=WORK,
        subject="JWKS meanwhile, one client",
        workers=1,
        database=database,
        samples=probes,
        judged=(judged,) if database == SQLITE else (),
    )


def _full(tally: Tally) -> Record:
    refused = tally.statuses.get("503", 0)
    wrong = tally.answers - tally.statuses.get("200", 0) - min(refused, tally.retry_after) + tally.broken
    judged = Judged(SIGN_IN_FULL, Spread.of([wrong]), errors=int(not refused))
    counts = ", ".join(f"{count} × {status}" for status, count in sorted(tally.statuses.items()))
    note = f"{TOO_MANY} at once: {counts}; {tally.retry_after} with Retry-After"
    return Record(work=WORK, subject="a full queue", workers=1, database=SQLITE, judged=(judged,), note=note)
