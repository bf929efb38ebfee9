"""What a guard's copy of the list weighs and costs, in a process of its own: prints one line of JSON."""

import gc
import json
import sys
import time
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from authserver.protocol.revocation import Kind
from authserver.resource.revocation_set import Delta, Entry, RevocationSet, Snapshot

ROUNDS: Final = 200_000
A_DELTA: Final = 200


def main() -> None:
    count = json.loads(sys.stdin.readline())["entries"]
    gc.collect()
    before = resident_mb()
    listed = RevocationSet()
    grow(listed, count)
    gc.collect()
    used = resident_mb() - before
    claims = [
        {"sid": token_urlsafe(16), "jti": token_urlsafe(16), "sub": token_urlsafe(16), "client_id": "x"}
        for _ in range(1_000)
    ]
    began = time.perf_counter()
    for number in range(ROUNDS):
        listed.hit(claims[number % 1_000], "a-key")
    took = (time.perf_counter() - began) / ROUNDS
    print(json.dumps({"mb": used, "us": took * 1e6, "entries": len(listed)}), flush=True)


def grow(listed: RevocationSet, count: int) -> None:
    """As a service's list grows: by the sign-outs of an hour, told in deltas."""
    now, mark = int(time.time()), "0"
    listed.replace(Snapshot(0, mark, ()))
    for since in range(0, count, A_DELTA):
        upto = min(since + A_DELTA, count)
        entries = [
            Entry(Kind.SID, token_urlsafe(16), now + 3_660 * number // count) for number in range(since, upto)
        ]
        assert listed.extend(Delta(since, mark, upto, str(upto), tuple(entries)))
        mark = str(upto)


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1_048_576


if __name__ == "__main__":
    main()
