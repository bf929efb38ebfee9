"""`authserver service`: the resource services that told their names, and how far they follow.

What is shown is what somebody said: no service is asked for a secret. Good to see who is behind, no proof of anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from authserver.audit.store import Entry, record
from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.heard import counted
from authserver.cli.nouns import noun
from authserver.cli.times import hint
from authserver.cli.verbs import verb
from authserver.keyring import store as keyring
from authserver.protocol.heard import SAID_EVERY
from authserver.revocations import store as revocations
from authserver.revocations.store import Head
from authserver.services import store
from authserver.services.alive import alive, by_service, is_alive
from authserver.services.store import Instance

app = noun("service")

NOBODY = (
    'No service has told its name yet. Give it one where it makes its guard: Guard(…, service="orders"). '
    f"It is listed here within {SAID_EVERY:g} seconds."
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What the services are compared with: the list's head, and the keys that will sign next."""

    head: Head
    next_kids: frozenset[str]
    instances: list[Instance]
    now: datetime


@verb(app, "list")
def list_services(
    call: Call,
    *,
    instances: Annotated[bool, typer.Option("--instances", help="One line for each process.")] = False,
) -> Answer:
    """Show who follows the revocation list: how far, how, and whether the next key was fetched.

    Example: authserver service list --instances
    """
    scene = call.read(lambda db: _scene(db, call.now))
    services = by_service(scene.instances)
    facts = {
        "sequence": scene.head.sequence,
        "next": sorted(scene.next_kids),
        "services": [_describe(scene, name, found) for name, found in services.items()],
    }
    if not services:
        return Answer(facts, [NOBODY])
    table = _each(scene) if instances else _services(scene, services)
    return Answer(facts, [f"The list is at sequence {scene.head.sequence}.", table])


@verb(app, "forget", changes=True)
def forget(
    call: Call, name: Annotated[str, typer.Argument(help="The service's name.", metavar="NAME")]
) -> Answer:
    """Take a service that is gone off the list, so that nobody waits for it. One that runs comes back by itself.

    Example: authserver service forget orders
    """

    def step(db: Connection) -> int:
        forgotten = store.forget(db, name)
        if forgotten:
            detail = {"service": name, "instances": forgotten}
            record(db, Entry("service.forgotten", call.now, "operator", detail=detail))
        return forgotten

    forgotten = call.write(step)
    if not forgotten:
        raise Refused(f"no service {name} has told its name: `authserver service list` shows them")
    words = f"Forgot {name} ({counted(forgotten)}). What still runs is listed again within {SAID_EVERY:g} seconds."
    return Answer({"forgotten": name, "instances": forgotten}, [words])


def _scene(db: Connection, now: datetime) -> Scene:
    next_kids = frozenset(ring.next.kid for ring in keyring.rings(db) if ring.next)
    return Scene(revocations.head(db), next_kids, store.instances(db), now)


def _services(scene: Scene, services: dict[str, list[Instance]]) -> Table:
    header = ("service", "instances", "by", "sequence", "", "next key", "last heard")
    return Table(header, [_row(scene, name, found) for name, found in services.items()])


def _row(scene: Scene, name: str, found: list[Instance]) -> tuple[str, ...]:
    living = alive(found, scene.now)
    shown = living or found
    lowest = _lowest(shown)
    return (
        name,
        _count(len(living), len(found) - len(living)),
        ", ".join(sorted({one.by for one in shown})),
        str(lowest.sequence),
        _distance(scene, lowest),
        _next_key(scene, shown),
        hint(_last(found).seen_at - scene.now),
    )


def _each(scene: Scene) -> Table:
    header = ("service", "instance", "by", "sequence", "", "since", "next key", "last heard")
    rows = [
        (
            one.service,
            one.instance,
            one.by,
            str(one.sequence),
            _distance(scene, one),
            hint(one.heard_at - scene.now),
            _next_key(scene, [one]),
            hint(one.seen_at - scene.now) + ("" if is_alive(one, scene.now) else ", silent"),
        )
        for one in scene.instances
    ]
    return Table(header, rows)


def _count(living: int, silent: int) -> str:
    return ", ".join([str(living), *([f"{silent} silent"] if silent else [])])


def _distance(scene: Scene, one: Instance) -> str:
    behind = scene.head.sequence - one.sequence
    if behind < 0 or (behind == 0 and one.mark != scene.head.mark):
        return "of another history"  # the database was restored, and this one has not noticed yet
    return f"{behind} behind" if behind else "up to date"


def _next_key(scene: Scene, shown: Sequence[Instance]) -> str:
    if not scene.next_kids:
        return ""
    having = sum(_has_next(scene, one) for one in shown)
    return "yes" if having == len(shown) else f"{having} of {len(shown)}" if len(shown) > 1 else "no"


def _has_next(scene: Scene, one: Instance) -> bool:
    return scene.next_kids <= set(one.kids)


def _lowest(found: Sequence[Instance]) -> Instance:
    return min(found, key=lambda one: one.sequence)


def _last(found: Sequence[Instance]) -> Instance:
    return max(found, key=lambda one: one.seen_at)


def _describe(scene: Scene, name: str, found: list[Instance]) -> dict[str, Any]:
    living = alive(found, scene.now)
    shown = living or found
    return {
        "service": name,
        "alive": len(living),
        "silent": len(found) - len(living),
        "sequence": _lowest(shown).sequence,
        "behind": scene.head.sequence - _lowest(shown).sequence,
        "has_next_key": all(_has_next(scene, one) for one in shown),
        "last_heard_at": _last(found).seen_at,
        "instances": [_facts(scene, one) for one in found],
    }


def _facts(scene: Scene, one: Instance) -> dict[str, Any]:
    return {
        "instance": one.instance,
        "alive": is_alive(one, scene.now),
        "by": one.by,
        "sequence": one.sequence,
        "mark": one.mark,
        "kids": list(one.kids),
        "has_next_key": _has_next(scene, one),
        "first_heard_at": one.first_heard_at,
        "heard_at": one.heard_at,
        "last_heard_at": one.seen_at,
    }
