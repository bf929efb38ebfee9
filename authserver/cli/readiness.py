"""Who lacks the next key: a hint in a plan, a warning before a promotion, or something to wait for.

A rotation that is only scheduled is made at its date by a server, which asks nobody. So with `--wait` nothing is
scheduled: the command itself waits for the date and for everybody, and then promotes, or it changes nothing.
"""

from datetime import datetime
from math import ceil
from typing import Annotated, Any, Final

import typer
from sqlalchemy.exc import DBAPIError

from authserver.cli.answers import Refused
from authserver.cli.call import Call
from authserver.cli.heard import missing
from authserver.cli.times import iso, when
from authserver.database import DatabaseUnavailable
from authserver.keyring.rotation import Change
from authserver.keyring.states import Ring, SigningKey
from authserver.services import store
from authserver.services.keys import Readiness, readiness

LOOK_EVERY: Final = 1.0
BARE_WAIT: Final = 60

WaitForKey = Annotated[
    float,
    typer.Option(
        "--wait",
        min=0,
        max=86_400,
        metavar="[SECONDS]",
        help="Wait up to so long (60 if you do not say) for the key's safe date and for every service to have "
        "fetched it, then promote it; else change nothing, and schedule nothing.",
    ),
]


def about_to_sign(change: Change) -> str | None:
    """Answer the kid of the published key that this change lets sign; None where there is no such key."""
    before, after = change.before, change.after
    promoted = before.next is not None and after.active is not None and before.next.kid == after.active.kid
    return before.next.kid if promoted and before.next else None


def before_promotion(call: Call, kid: str | None) -> list[Readiness]:
    """Answer the services that lack the key, and warn about them."""
    if kid is None:
        return []
    try:
        lacking = _lacking(call, kid)
    except DBAPIError:  # the tables are older than this release: the dates alone are safe as well
        call.tell("Warning: this database does not know yet who has which key: run `authserver db upgrade`.")
        return []
    if lacking:
        call.tell(
            f"Warning: {_names(call, lacking)} without the key {kid}. "
            "Its first token will cost them a fetch, or be refused; with --wait it is not promoted before."
        )
    return lacking


def waited(call: Call, ring: Ring, key: SigningKey, wait: float) -> Change:
    """Promote the next key once its date has come and everybody has it.

    :raises Refused: that takes longer than the wait, or a server will promote it by itself; nothing was changed.
    """
    safe = key.sign_not_before(call.parts.rotation.timing)
    _refuse_what_cannot_be_held(call, ring, key, safe, wait)
    if call.dry_run:
        at = max(safe, call.now)
        return Change(ring, ring.promoted(at), at)
    call.parts.vault.check()
    _wait(call, key.kid, safe, wait)
    change = call.parts.rotation.promote(key)
    if change.after.active is None or change.after.active.kid != key.kid:
        raise Refused("the keys were changed by somebody else meanwhile: `authserver keys list` shows them")
    return Change(ring, change.after, change.at)  # what became of it since we began, whoever was faster


def _refuse_what_cannot_be_held(call: Call, ring: Ring, key: SigningKey, safe: datetime, wait: float) -> None:
    due = ring.due_at(call.parts.rotation.timing)
    if ring.promote_at is not None and due is not None and due > call.now:
        raise Refused(
            f"a rotation is scheduled for {when(due, call.now)} already, and a server makes it then, whoever has the "
            "key: nothing was changed"
        )
    early = (safe - call.now).total_seconds()
    if early > wait:
        raise Refused(
            f"{key.kid} may not sign before {when(safe, call.now)}, as a verifier may hold a JWKS without it until "
            "then: nothing was changed. Run `authserver keys rotate --wait` again after that, or wait for it with "
            f"--wait {ceil(early) + BARE_WAIT}, or schedule it without --wait"
        )


def describe(found: list[Readiness]) -> list[dict[str, Any]]:
    return [
        {"service": one.service, "instances": one.instances, "lacking": [who.instance for who in one.lacking]}
        for one in found
    ]


def who_has(call: Call, kid: str, safe: datetime) -> tuple[list[Readiness], list[str]]:
    """Answer how each service stands to a key, and a line about it; nothing here fails what was done before.

    :param safe: when everybody has the key who obeys `max-age`.
    """
    try:
        found = _ask(call, kid)
    except (DatabaseUnavailable, DBAPIError) as error:
        return [], [f"Who has fetched {kid} is not known: the database cannot say ({type(error).__name__})."]
    lacking = [one for one in found if not one.ready]
    if lacking:
        return found, [f"{kid} has not been fetched by {_names(call, lacking)}{_in_time(call, safe)}."]
    everyone = f"{kid} has been fetched by every service that has told its name ({len(found)})."
    return found, [everyone] if found else []


def _wait(call: Call, kid: str, safe: datetime, wait: float) -> None:
    clock = call.parts.clock
    until, told = clock.monotonic() + wait, None
    while True:
        lacking, early = _lacking(call, kid), call.now < safe
        if not lacking and not early:
            return
        left = until - clock.monotonic()
        if left <= 0:
            raise Refused(
                f"not promoted, nothing was changed: after {wait:g} s, {_awaited(call, kid, safe, lacking)}. "
                "See `authserver service list --instances`; let them fetch the JWKS, or `authserver service forget` "
                "those that are gone, or rotate without --wait: the dates are safe for whoever obeys max-age"
            )
        state = (early, [(one.service, len(one.lacking)) for one in lacking])
        if state != told:
            call.tell(f"Waiting for {_awaited(call, kid, safe, lacking)}.")
            told = state
        call.pause(min(LOOK_EVERY, left))


def _ask(call: Call, kid: str) -> list[Readiness]:
    return readiness(call.read(store.instances), kid, call.now)


def _lacking(call: Call, kid: str) -> list[Readiness]:
    return [one for one in _ask(call, kid) if not one.ready]


def _names(call: Call, lacking: list[Readiness]) -> str:
    return ", ".join(f"{one.service} ({missing(call, one.instances, one.lacking)})" for one in lacking)


def _awaited(call: Call, kid: str, safe: datetime, lacking: list[Readiness]) -> str:
    date = [f"{iso(safe)}, as a verifier may hold a JWKS without the key {kid}"] if call.now < safe else []
    return "; ".join([*date, *([f"{_names(call, lacking)} without the key {kid}"] if lacking else [])])


def _in_time(call: Call, safe: datetime) -> str:
    """Right after a promotion the next key is a minute old, and most have not looked since."""
    return (
        f": they will by {iso(safe)}, there is nothing to do"
        if call.now < safe
        else ", though max-age is over"
    )
