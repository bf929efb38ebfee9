"""`authserver db`: the schema, and the way to it."""

from contextlib import closing
from pathlib import Path

from authserver import schema
from authserver.audit.store import Entry, record
from authserver.cli.answers import Answer
from authserver.cli.call import Call, missing_file
from authserver.cli.nouns import noun
from authserver.cli.verbs import verb
from authserver.database import Database
from authserver.schema import Revisions

app = noun("db")


@verb(app, "upgrade", changes=True)
def upgrade(call: Call) -> Answer:
    """Bring the database to this release's schema; make it if there is none. Safe to run by several at once.

    Example: authserver db upgrade --data /var/lib/authserver
    """
    file = missing_file(call.built)
    before = _revisions(call, file)
    if not call.dry_run and not before.up_to_date:
        if file is not None:
            make_private(file)
        schema.upgrade(call.built.database)
        _note(call, before)
    facts = {"before": before.current, "current": before.wanted, "changed": not before.up_to_date}
    words = (
        "up to date already" if before.up_to_date else f"from {before.current or 'empty'} to {before.wanted}"
    )
    return Answer(facts, [f"The database: {words}."])


@verb(app, "current")
def current(call: Call) -> Answer:
    """Say at which revision the database is.

    Example: authserver db current
    """
    found = _revisions(call, missing_file(call.built))
    return _answer(found, found.current or "empty: run `authserver db upgrade`")


@verb(app, "check")
def check(call: Call) -> Answer:
    """Say whether the database has this release's schema; exit code 1 if not.

    Example: authserver db check && authserver serve
    """
    found = _revisions(call, missing_file(call.built))
    advice = f"{found.current or 'empty'}, but this release wants {found.wanted}: run `authserver db upgrade`"
    return _answer(found, advice, code=0 if found.up_to_date else 1)


def make_private(file: Path) -> None:
    """Make SQLite's file before SQLite does: it holds password hashes, and its journals inherit the mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


def _revisions(call: Call, missing: Path | None) -> Revisions:
    """Look without making a file: one that is missing is as empty as one in memory."""
    if missing is None:
        return schema.revisions(call.built.database)
    with closing(Database("sqlite://")) as empty:
        return schema.revisions(empty)


def _note(call: Call, before: Revisions) -> None:
    detail = {"from": before.current, "to": before.wanted}
    entry = Entry("database.upgraded", call.now, "operator", detail=detail)
    call.built.database.write(lambda db: record(db, entry))


def _answer(found: Revisions, otherwise: str, code: int = 0) -> Answer:
    facts = {"current": found.current, "wanted": found.wanted, "up_to_date": found.up_to_date}
    return Answer(facts, [f"{found.current}: up to date" if found.up_to_date else otherwise], code)
