"""`streams`: two thousand readers follow the revocation list at one worker. What they cost, and whom they disturb.

Meanwhile somebody signs out five times a second, which is told to each of the two thousand, and somebody else asks
for the JWKS.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from authserver.database import Database
from authserver.protocol import paths
from authserver.protocol.revocation import Kind
from authserver.revocations import store
from benchmarks.goals import STREAMS_JWKS, STREAMS_MEMORY, Judged
from benchmarks.installation import Installation
from benchmarks.load.plan import Load, Plan, request
from benchmarks.load.talkers import Talker
from benchmarks.processes import Server
from benchmarks.records import Record
from benchmarks.rounds import Sample, Spread, percentile
from benchmarks.stand import Stand

OURS: Final = "authserver"
READERS: Final = 2_000
EVERY: Final = 0.2
PROBE_EVERY: Final = 0.01


def streams(stand: Stand) -> list[Record]:
    installed = stand.installed()
    with stand.serving(installed) as server:
        before = server.memory()
        told = {"port": installed.port, "path": paths.REVOCATION_STREAM, "count": READERS}
        with Talker("benchmarks.load.listeners", told) as readers:
            readers.hear()
            rounds = [_round(installed, server, readers, stand.seconds) for _ in range(stand.rounds)]
            more = server.memory().pss_mb - before.pss_mb
    return [_record(more, rounds)]


def _round(
    installed: Installation, server: Server, readers: Talker, seconds: float
) -> tuple[Sample, list[float], float]:
    """Answer what the JWKS took, what each change took until the last reader had it, and the processor's share."""
    probe = Plan(
        port=installed.port,
        requests=[[request("GET", paths.JWKS, installed.port)]],
        seconds=seconds,
        pause=PROBE_EVERY,
    )
    database = Database(installed.settings.database_address)
    began, used, took = time.monotonic(), server.cpu_seconds(), []
    try:
        with Load(probe) as asking:
            while time.monotonic() - began < seconds:
                took.append(_revoke(database, readers))
                time.sleep(max(0.0, EVERY - took[-1]))
            share = (server.cpu_seconds() - used) / (time.monotonic() - began)
            return asking.tally().sample(), took, share
    finally:
        database.close()


def _revoke(database: Database, readers: Talker) -> float:
    now = datetime.now(UTC)
    expires_at = now + timedelta(hours=1)
    sequence = database.write(
        lambda db: store.append(db, Kind.JTI, now.isoformat(), now=now, expires_at=expires_at)
    )
    began = time.monotonic()
    while (heard := readers.hear())["sequence"] != sequence:
        pass
    return max(0.0, float(heard["at"]) - began)


def _record(more_mb: float, rounds: list[tuple[Sample, list[float], float]]) -> Record:
    samples = tuple(sample for sample, _, _ in rounds)
    slowest = Spread.of(sample.p99_ms for sample in samples if sample.p99_ms is not None)
    took = [each * 1000 for _, round_took, _ in rounds for each in round_took]
    busy = Spread.of(share for _, _, share in rounds)
    return Record(
        work="streams",
        subject=f"JWKS beside {READERS} streams",
        workers=1,
        samples=samples,
        judged=(
            Judged(STREAMS_MEMORY, Spread.of([more_mb])),
            Judged(STREAMS_JWKS, slowest, sum(sample.errors for sample in samples)),
        ),
        note=(
            f"{more_mb:.0f} MB more (PSS); a change had reached all of them after {percentile(took, 0.5):.0f} ms "
            f"(p50) and {max(took):.0f} ms (slowest); the server used {busy.median:.0%} of a core"
        ),
    )
