"""`revoked`: what looking a token up costs a guard whose list has a million entries, and what the list weighs."""

from typing import Final

from benchmarks.goals import REVOKED_CHECK, REVOKED_MEMORY, Judged
from benchmarks.load.talkers import Talker
from benchmarks.records import Record
from benchmarks.rounds import Spread
from benchmarks.stand import Stand

ENTRIES: Final = 1_000_000


def revoked(stand: Stand) -> list[Record]:
    found = []
    for _ in range(stand.rounds):
        with Talker("benchmarks.load.listed", {"entries": ENTRIES}) as process:
            found.append(process.hear())
    took, weighs = Spread.of(each["us"] for each in found), Spread.of(each["mb"] for each in found)
    return [
        Record(
            work="revoked",
            subject=f"a list of {ENTRIES} entries",
            judged=(Judged(REVOKED_CHECK, took), Judged(REVOKED_MEMORY, weighs)),
            note=f"{took.median:.2f} µs a look, {weighs.median:.0f} MB",
        )
    ]
