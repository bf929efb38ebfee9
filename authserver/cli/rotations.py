"""What a change of a ring did, or would do, in facts and in words."""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum

from authserver.cli.answers import Answer
from authserver.cli.times import when
from authserver.keyring.rotation import Change
from authserver.keyring.states import SigningKey, Timing
from authserver.revocations.keys import LISTED_FOR


class Outcome(StrEnum):
    CREATED = "created"  # the first keys of all
    PROMOTED = "promoted"
    SCHEDULED = "scheduled"  # for the first safe moment
    UNCHANGED = "unchanged"  # it was scheduled before


def report(change: Change, timing: Timing) -> Answer:
    """Answer what happened. In a dry run the keys that would be made have no kid yet."""
    before, after = change.before, change.after
    outcome = _outcome(change)
    facts = {
        "algorithm": after.algorithm,
        "outcome": outcome.value,
        "active": _kid(after.active),
        "previous": _kid(before.active),
        "next": _kid(after.next),
        "rotates_at": after.due_at(timing),
    }
    words = {
        Outcome.CREATED: _created,
        Outcome.PROMOTED: _promoted,
        Outcome.SCHEDULED: _scheduled,
        Outcome.UNCHANGED: _scheduled,
    }
    return Answer(facts, list(words[outcome](change, timing)))


def report_emergency(kid: str, change: Change, timing: Timing) -> Answer:
    """Answer what became of a compromised key, and who may not behave yet and until when."""
    before, after = change.before.active, change.after.active
    facts = {
        "kid": kid,
        "algorithm": change.after.algorithm,
        "outcome": "compromised" if change.happened else "unchanged",
        "active": _kid(after),
        "listed_until": change.at + LISTED_FOR,
        "cached_until": _cached_until(change, timing),
        "successor_known_from": None,
    }
    listed, cached = when(change.at + LISTED_FOR, change.at), when(_cached_until(change, timing), change.at)
    body = [
        f"{kid} is compromised: out of the JWKS, and on the revocation list until {listed}.",
        "Servers and verifiers that follow the list refuse its tokens within a second.",
        f"Others may accept them until their JWKS is older than max-age: until {cached} at the latest.",
    ]
    if before is not None and before.kid == kid:
        known = (after.published_at if after else change.at) + timing.jwks_max_age + timing.clock_skew
        body.append(f"{_kid(after) or 'A new key'} signs from now on. Whoever is signed in stays so.")
        if known > change.at:
            facts["successor_known_from"] = known
            body.append(
                "It was published so lately that a verifier which caches strictly by max-age may refuse its tokens "
                f"until {when(known, change.at)}."
            )
    return Answer(facts, body)


def _cached_until(change: Change, timing: Timing) -> datetime:
    """`clock_skew` covers how late a server may learn that the key is gone from the JWKS that it publishes."""
    return change.at + timing.jwks_max_age + timing.clock_skew


def _outcome(change: Change) -> Outcome:
    before, after = change.before, change.after
    if before.active is None:
        return Outcome.CREATED
    if after.active != before.active:
        return Outcome.PROMOTED
    return Outcome.SCHEDULED if change.happened else Outcome.UNCHANGED


def _created(change: Change, timing: Timing) -> Iterator[str]:
    yield f"{change.after.algorithm}: made the first keys. {_kid(change.after.active) or 'A new one'} signs from now on."
    yield from _about_next(change, timing)


def _promoted(change: Change, timing: Timing) -> Iterator[str]:
    before, after = change.before, change.after
    yield f"{after.algorithm}: promoted now: {_kid(before.active)} → {_kid(after.active) or 'a new key'}"
    retired = after.find(_kid(before.active) or "")
    gone = retired.remove_not_before(timing) if retired else None
    if retired and gone:
        yield f"{retired.kid} stays published until {when(gone, change.at)}, for the tokens that it signed."
    yield from _about_next(change, timing)


def _scheduled(change: Change, timing: Timing) -> Iterator[str]:
    word = "scheduled" if change.happened else "already scheduled"
    due, kid = change.after.due_at(timing), _kid(change.after.next)
    yield (
        f"{change.after.algorithm}: {word} for {when(due, change.at)} because a verifier may hold a JWKS without "
        f"{kid} until then."
    )


def _about_next(change: Change, timing: Timing) -> Iterator[str]:
    key = change.after.next
    if key is None:
        yield "A new next key is made and published."
    else:
        yield f"The next key is {key.kid}; it may sign from {when(key.sign_not_before(timing), change.at)}."


def _kid(key: SigningKey | None) -> str | None:
    return None if key is None else key.kid
