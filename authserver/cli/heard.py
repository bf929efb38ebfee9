"""Who has heard of a change: asked after its commit, told in words and in facts.

By then the change is made and stays made, so whatever goes wrong here is said and fails nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, TypeVar

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from authserver.cli.answers import Answer
from authserver.cli.call import Call
from authserver.cli.times import hint
from authserver.database import DatabaseUnavailable, Step
from authserver.revocations import store
from authserver.services import store as services
from authserver.services.reached import Reach, Watch
from authserver.services.store import Instance

T = TypeVar("T")

LOOK_EVERY: Final = 0.2
PATIENCE: Final = 5.0

Wait = Annotated[
    float,
    typer.Option(
        "--wait",
        min=0,
        max=600,
        metavar="SECONDS",
        help="How long services may take to say that they have heard; 0 does not ask them.",
    ),
]


@dataclass(frozen=True, slots=True)
class Listed:
    """A change on the revocation list: when it was made, and its sequence; None for the newest there is."""

    at: datetime
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """How far a change has come; `problem` says why no more is known."""

    reaches: tuple[Reach, ...]
    problem: str | None

    @property
    def facts(self) -> dict[str, Any]:
        return {"services": [_facts(reach) for reach in self.reaches], "problem": self.problem}


def noting(call: Call, step: Step[T]) -> Step[tuple[T, Listed | None]]:
    """Let a step also say what it put on the list: None, where it put nothing there."""

    def both(db: Connection) -> tuple[T, Listed | None]:
        before, at = store.head(db).sequence, call.now
        done = step(db)
        after = store.head(db).sequence
        return done, Listed(at, after) if after > before else None

    return both


def with_heard(call: Call, answer: Answer, listed: Listed | None, wait: float) -> Answer:
    """Add to an answer who has heard, in a line or two."""
    heard = ask(call, listed, wait)
    if heard is None:
        return answer
    return Answer(
        {**answer.facts, "heard": heard.facts}, [*answer.body, *_in_short(call, heard)], answer.code
    )


def with_effect(call: Call, answer: Answer, listed: Listed | None, wait: float) -> Answer:
    """Add to an answer when each service began to refuse, one line for each."""
    heard = ask(call, listed, wait)
    if heard is None:
        return answer
    lines = [_effect(call, reach) for reach in heard.reaches] or [
        "No service has told its name, so none can say since when: `authserver service list` says how."
    ]
    body = [*answer.body, *([] if heard.problem and not heard.reaches else lines), *_problem(heard)]
    return Answer({**answer.facts, "heard": heard.facts}, body, answer.code)


def ask(call: Call, listed: Listed | None, wait: float) -> Heard | None:
    """Look until every living service has said that it has the change, or the time is over."""
    if listed is None or call.dry_run or not wait:
        return None
    reaches: list[Reach] = []
    try:
        for reaches in _looks(call, listed, wait):  # noqa: B007 - what the last look saw counts, failure or not
            pass
    except KeyboardInterrupt:  # nobody should think that the change itself was called off
        return Heard(tuple(reaches), "the wait was cut short")
    except DatabaseUnavailable as error:
        return Heard(tuple(reaches), str(error))
    except DBAPIError as error:  # its tables are older than this release, perhaps: an emergency must not mind
        return Heard(tuple(reaches), f"the database cannot say ({type(error.orig).__name__})")
    return Heard(tuple(reaches), None)


def missing(call: Call, instances: int, silent: tuple[Instance, ...]) -> str:
    """Answer `1 of 3 instances, last heard 12 s ago`."""
    last = max(one.seen_at for one in silent)
    return f"{len(silent)} of {counted(instances)}, last heard {hint(last - call.now)}"


def counted(instances: int) -> str:
    return f"{instances} instance{'' if instances == 1 else 's'}"


def _looks(call: Call, listed: Listed, wait: float) -> Iterator[list[Reach]]:
    clock = call.parts.clock
    until = clock.monotonic() + wait
    sequence = call.read(store.head).sequence if listed.sequence is None else listed.sequence
    watch = Watch(sequence, listed.at)
    while True:
        instances, marks = call.read(lambda db: _look(db, sequence, call.now))
        watch.look(instances, marks, call.now)
        yield watch.reaches()
        left = until - clock.monotonic()
        if watch.complete or left <= 0:
            return
        call.pause(min(LOOK_EVERY, left))


def _look(db: Connection, since: int, now: datetime) -> tuple[list[Instance], dict[int, str]]:
    head = store.head(db)
    entries = store.after(db, since - 1, head.sequence, now)
    marks = {entry.sequence: entry.mark for entry in entries}
    return services.instances(db), {**marks, head.sequence: head.mark}


def _in_short(call: Call, heard: Heard) -> list[str]:
    done = [reach for reach in heard.reaches if not reach.missing]
    after = max((reach.after for reach in done if reach.after is not None), default=None)
    lines = []
    if heard.reaches:
        tail = f" after {_seconds(after)}" if after is not None else ""
        lines.append(f"Heard by {len(done)} of {_services(len(heard.reaches))}{tail}.")
    late = [
        f"{reach.service} ({missing(call, reach.instances, reach.missing)})"
        for reach in heard.reaches
        if reach.missing
    ]
    return [*lines, *([f"Not yet by: {', '.join(late)}."] if late else []), *_problem(heard)]


def _effect(call: Call, reach: Reach) -> str:
    done = f"refused its tokens after {_seconds(reach.after)}" if reach.after is not None else ""
    late = f"no answer from {missing(call, reach.instances, reach.missing)}" if reach.missing else ""
    said = "; ".join(part for part in (done, late) if part)
    advice = (
        f" It may still accept them: restart it, or `authserver service forget {reach.service}` if it is gone."
        if reach.missing
        else ""
    )
    return f"{reach.service} ({reach.heard} of {counted(reach.instances)}): {said}.{advice}"


def _problem(heard: Heard) -> list[str]:
    return [f"Who has heard of it is not known: {heard.problem}."] if heard.problem else []


def _facts(reach: Reach) -> dict[str, Any]:
    return {
        "service": reach.service,
        "instances": reach.instances,
        "heard": reach.heard,
        "seconds": None if reach.after is None else round(reach.after.total_seconds(), 3),
        "missing": [one.instance for one in reach.missing],
    }


def _services(number: int) -> str:
    return f"{number} service{'' if number == 1 else 's'}"


def _seconds(length: timedelta | None) -> str:
    return f"{length.total_seconds():.2f} s" if length is not None else ""
