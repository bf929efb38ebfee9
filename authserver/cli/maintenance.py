"""`authserver maintenance run`: what the servers do by themselves every few seconds, once and now."""

from authserver.audit.store import Entry, record
from authserver.cli.answers import Answer
from authserver.cli.call import Call
from authserver.cli.nouns import noun
from authserver.cli.verbs import verb
from authserver.maintenance import BATCH, PURGES, Purge, Report

app = noun("maintenance")


@verb(app, "run", changes=True)
def run(call: Call) -> Answer:
    """Change keys that are due, and delete rows that nobody needs. Safe while servers do the same.

    Example: authserver maintenance run
    """
    if call.dry_run:
        return _answer(_rehearse(call))
    call.parts.vault.check()
    report = call.parts.maintenance.run()
    detail = {"keys_changed": list(report.keys_changed), "purged": report.purged}
    call.write(lambda db: record(db, Entry("maintenance.ran", call.now, "operator", detail=detail)))
    return _answer(report)


def _rehearse(call: Call) -> Report:
    """One batch of each purge is tried and undone; `500` therefore means 500 or more."""
    rotation = call.parts.rotation
    changes = [
        rotation.preview(algorithm, lambda ring, now: ring.advance(now, rotation.timing))
        for algorithm in call.settings.signing_algorithms
    ]
    moved = tuple(f"{key.kid}: {key.state}" for change in changes for key in change.moved)
    return Report(moved, {name: _count(call, job) for name, job in PURGES.items()})


def _count(call: Call, job: Purge) -> int:
    return call.write(lambda db: job(db, call.now))


def _answer(report: Report) -> Answer:
    keys = [f"Key {change}" for change in report.keys_changed] or ["No key was due."]
    rows = [f"{name}: {count}" for name, count in report.purged.items() if count]
    return Answer(
        {"keys_changed": list(report.keys_changed), "purged": report.purged, "batch": BATCH},
        [*keys, f"Rows deleted: {', '.join(rows) or 'none'}."],
    )
