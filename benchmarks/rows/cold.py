"""`cold`: a guard's first verdict after its start: what it fetches for it, and how long its caller waits."""

import time
from contextlib import closing
from dataclasses import replace
from typing import Final

from authserver.protocol import paths
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.principal import Principal
from benchmarks.goals import COLD_FETCHES, Judged
from benchmarks.installation import Installation
from benchmarks.load.relay import Relay
from benchmarks.processes import free_port
from benchmarks.records import Record
from benchmarks.rounds import Spread
from benchmarks.rows.logout import tokens_of
from benchmarks.stand import Stand

STARTS: Final = 5  # in each round
STREAM: Final = paths.REVOCATION_STREAM.encode()  # opened beside the verdict, not for it


def cold(stand: Stand) -> list[Record]:
    installed = stand.installed(people=1)
    [token] = tokens_of(installed)
    behind = replace(installed, port=free_port())
    with stand.serving(behind), Relay(installed.port, behind.port) as relay:
        found = [_start(installed, relay, token) for _ in range(stand.rounds * STARTS)]
    asked, took = Spread.of(count for count, _ in found), Spread.of(ms for _, ms in found)
    return [
        Record(
            work="cold",
            subject="Guard, first request",
            judged=(Judged(COLD_FETCHES, asked),),
            note=f"{took.median:.1f} ms [{took.low:.1f} … {took.high:.1f}] until the first verdict",
        )
    ]


def _start(installed: Installation, relay: Relay, token: str) -> tuple[int, float]:
    """Answer how many requests came before the verdict, and the verdict's milliseconds."""
    issuer = f"http://127.0.0.1:{installed.port}"
    request = PlainRequest("GET", {"authorization": f"Bearer {token}"})
    relay.requests.clear()
    with closing(Guard(issuer, audience=issuer)) as guard:
        began = time.perf_counter()
        verdict = guard.authenticate(request)
        took = (time.perf_counter() - began) * 1000
        assert isinstance(verdict, Principal), verdict
        return sum(STREAM not in request for request in relay.requests), took
