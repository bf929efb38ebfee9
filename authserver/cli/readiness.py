"""Who lacks the next key: a hint in a plan, a warning before a promotion, or something to wait for."""

from typing import Annotated, Any, Final

import typer
from sqlalchemy.exc import DBAPIError

from authserver.cli.answers import Refused
from authserver.cli.call import Call
from authserver.cli.heard import missing
from authserver.database import DatabaseUnavailable
from authserver.keyring.rotation import Change
from authserver.services import store
from authserver.services.keys import Readiness, readiness

LOOK_EVERY: Final = 1.0

WaitForKey = Annotated[
    float,
    typer.Option(
        "--wait",
        min=0,
        max=86_400,
        metavar="[SECONDS]",
        help="Wait so long (60 if you do not say) for services to fetch the key, else do not promote it.",
    ),
]


def about_to_sign(change: Change) -> str | None:
    """Answer the kid of the published key that this change lets sign; None where there is no such key."""
    before, after = change.before, change.after
    promoted = before.next is not None and after.active is not None and before.next.kid == after.active.kid
    return before.next.kid if promoted and before.next else None


def before_promotion(call: Call, kid: str | None, wait: float) -> list[Readiness]:
    """Answer the services that lack the key: warn about them, or wait until there are none.

    :raises Refused: some still lack it after the wait.
    """
    if kid is None:
        return []
    if wait and not call.dry_run:
        return _wait(call, kid, wait)
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


def describe(found: list[Readiness]) -> list[dict[str, Any]]:
    return [
        {"service": one.service, "instances": one.instances, "lacking": [who.instance for who in one.lacking]}
        for one in found
    ]


def who_has(call: Call, kid: str) -> tuple[list[Readiness], list[str]]:
    """Answer how each service stands to a key, and a line about it; nothing here fails what was done before."""
    try:
        found = _ask(call, kid)
    except (DatabaseUnavailable, DBAPIError) as error:
        return [], [f"Who has fetched {kid} is not known: the database cannot say ({type(error).__name__})."]
    lacking = [one for one in found if not one.ready]
    if lacking:
        return found, [f"{kid} has not been fetched by {_names(call, lacking)}."]
    everyone = f"{kid} has been fetched by every service that has told its name ({len(found)})."
    return found, [everyone] if found else []


def _wait(call: Call, kid: str, wait: float) -> list[Readiness]:
    clock = call.parts.clock
    until, told = clock.monotonic() + wait, None
    while lacking := _lacking(call, kid):
        left = until - clock.monotonic()
        if left <= 0:
            raise Refused(
                f"not promoted, nothing was changed: after {wait:g} s, {_names(call, lacking)} without the key {kid}. "
                "See `authserver service list --instances`; let them fetch the JWKS, or `authserver service forget` "
                "those that are gone, or rotate without --wait: the dates are safe for whoever obeys max-age"
            )
        state = [(one.service, len(one.lacking)) for one in lacking]
        if state != told:
            call.tell(f"Waiting for {_names(call, lacking)} without the key {kid}.")
            told = state
        call.pause(min(LOOK_EVERY, left))
    return []


def _ask(call: Call, kid: str) -> list[Readiness]:
    return readiness(call.read(store.instances), kid, call.now)


def _lacking(call: Call, kid: str) -> list[Readiness]:
    return [one for one in _ask(call, kid) if not one.ready]


def _names(call: Call, lacking: list[Readiness]) -> str:
    return ", ".join(f"{one.service} ({missing(call, one.instances, one.lacking)})" for one in lacking)
