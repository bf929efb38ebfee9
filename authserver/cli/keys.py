"""`authserver keys`: the signing keys. Everything works while servers run; they notice within a second."""

import json
from contextlib import suppress
from typing import Annotated, Any

import typer

from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.drill import drill
from authserver.cli.heard import PATIENCE, Listed, Wait, with_effect
from authserver.cli.nouns import noun
from authserver.cli.readiness import WaitForKey, about_to_sign, before_promotion, describe, waited, who_has
from authserver.cli.rewrap import outdated, refuse_plaintext
from authserver.cli.rotations import report, report_emergency
from authserver.cli.times import when
from authserver.cli.timetable import timetable, told
from authserver.cli.verbs import verb
from authserver.database import DatabaseUnavailable
from authserver.keyring import store
from authserver.keyring.rotation import Change
from authserver.keyring.signer import KEY_TYPES
from authserver.keyring.states import Ring, SigningKey, State
from authserver.revocations.keys import compromise
from authserver.services.keys import Readiness

app = noun("keys")

verb(app, "drill", changes=True)(drill)

Kid = Annotated[str, typer.Argument(help="The key's id, as `authserver keys list` shows it.", metavar="KID")]

NO_KEYS = "There are no keys yet. A server makes them when it starts, and so does `authserver keys rotate`."


@verb(app, "list")
def list_keys(
    call: Call,
    *,
    every: Annotated[bool, typer.Option("--all", help="Removed and compromised ones too.")] = False,
) -> Answer:
    """Show the signing keys: their state, and the date that matters for each.

    Example: authserver keys list --json
    """
    rings = call.read(lambda db: store.rings(db, ended=every))
    keys = [key for ring in rings for key in ring.keys]
    header = ("kid", "algorithm", "state", "published", "")
    rows = [
        (key.kid, key.algorithm, key.state.value, when(key.published_at, call.now), _date(call, key))
        for key in keys
    ]
    scheduled = [_scheduled(call, ring) for ring in rings if ring.promote_at is not None]
    facts = {"keys": [_facts(call, key) for key in keys], "scheduled": [one for one, _ in scheduled]}
    return Answer(facts, [Table(header, rows), *(line for _, line in scheduled)] if rows else [NO_KEYS])


@verb(app, "plan")
def plan(call: Call) -> Answer:
    """Show what will happen to the keys, when, and why not earlier.

    Example: authserver keys plan
    """
    timing, now = call.parts.rotation.timing, call.now
    dates = [(ring.algorithm, date) for ring in call.read(store.rings) for date in timetable(ring, timing)]
    facts = [
        {"algorithm": algorithm, "at": date.at, "kid": date.kid, "event": date.event, "because": date.because}
        for algorithm, date in dates
    ]
    waiting = {date.kid: who_has(call, date.kid, date.at) for _, date in dates if date.event == "may sign"}
    hints = [line for _, lines in waiting.values() for line in lines]
    fetched = {kid: describe(found) for kid, (found, _) in waiting.items()}
    return Answer({"plan": facts, "fetched": fetched}, [*told(dates, now), *hints] if dates else [NO_KEYS])


@verb(app, "rotate", changes=True)
def rotate(
    call: Call,
    *,
    algorithm: Annotated[str, typer.Option(help="Which ring. Else the first of signing_algorithms.")] = "",
    wait: WaitForKey = 0.0,
) -> Answer:
    """Let the next key sign: now where that is safe, else scheduled for the first moment that it is.

    Scheduled is made at its date by a server. With --wait nothing is scheduled: the command waits and promotes, or
    changes nothing and exits with 1.

    Example: authserver keys rotate

    Example: authserver keys rotate --wait 600
    """
    known = call.settings.signing_algorithms
    chosen = algorithm or known[0]
    if chosen not in known:
        raise Refused(f"{chosen} is none of signing_algorithms ({', '.join(known)})", code=2)
    rotation = call.parts.rotation
    upcoming = rotation.preview(chosen)
    ring = upcoming.before
    if wait and ring.next is not None and ring.active is not None:
        return _rotated_after(call, waited(call, ring, ring.next, wait))
    lacking = before_promotion(call, about_to_sign(upcoming))
    if call.dry_run:
        return _rotated(call, upcoming, lacking)
    call.parts.vault.check()
    change = rotation.rotate(chosen)
    _forget_private_halves(call)
    return _rotated(call, change, lacking)


@verb(app, "revoke", changes=True)
def revoke(
    call: Call,
    kid: Kid,
    *,
    compromised: Annotated[
        bool, typer.Option("--compromised", help="Somebody else may have this key.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Wait = PATIENCE,
) -> Answer:
    """Distrust a key at once, with every token that it signed; the next key signs at once.

    Example: authserver keys revoke KID --compromised --yes
    """
    if not compromised:
        raise Refused(
            "revoke is for a key that somebody else may have: then add --compromised. To change keys without anybody "
            "noticing, use `authserver keys rotate`",
            code=2,
        )
    algorithm, key = _found(call, kid)
    if key.state is State.COMPROMISED:
        raise Refused(f"{kid} is revoked already: nothing was changed")
    if key.state is State.REMOVED:
        raise Refused(
            f"{kid} is removed already and no verifier should trust it; to be sure of those that never refresh, use "
            f"`authserver revocation add kid {kid}`"
        )
    call.confirm(f"Refuse every token that {kid} ({key.state}) signed, now and everywhere?", yes=yes)
    rotation = call.parts.rotation
    if call.dry_run:
        change = rotation.preview(algorithm, lambda ring, now: ring.compromise(kid, now))
        return report_emergency(kid, change, rotation.timing)
    call.parts.vault.check()
    change = compromise(rotation, key)
    _forget_private_halves(call)
    listed = Listed(change.at) if change.happened else None
    return with_effect(call, report_emergency(kid, change, rotation.timing), listed, wait)


@verb(app, "export")
def export(
    call: Call,
    kid: Kid,
    *,
    public: Annotated[
        bool, typer.Option("--public", help="The public half: there is no other export.")
    ] = False,
    pem: Annotated[bool, typer.Option("--pem/--jwk", help="As PEM or as a JWK.")] = True,
) -> Answer:
    """Print a public key, for a verifier that cannot fetch the JWKS.

    Example: authserver keys export KID --public --pem
    """
    if not public:
        raise Refused("private keys are not exported: add --public for the public half", code=2)
    _, key = _found(call, kid)
    jwk = KEY_TYPES[key.public_jwk["kty"]].import_key(dict(key.public_jwk))
    if pem:
        text = jwk.as_pem(private=False).decode()
        return Answer({"kid": kid, "pem": text}, text.splitlines())
    public_jwk = jwk.as_dict(private=False)
    return Answer({"kid": kid, "jwk": public_jwk}, [json.dumps(public_jwk)])


@verb(app, "rewrap", changes=True)
def rewrap(call: Call) -> Answer:
    """Seal every private key with the current key-encryption key; then the previous one may be forgotten.

    Example: authserver keys rewrap
    """
    refuse_plaintext(call.settings)
    if call.dry_run:
        kids = call.read(lambda db: outdated(db, call.parts.vault))
    else:
        call.parts.vault.check()
        kids = call.parts.rotation.rewrap()
    said = [f"Sealed anew: {kid}" for kid in kids]
    return Answer({"rewrapped": kids}, said or ["Every private key is sealed with the current key already."])


def _found(call: Call, kid: str) -> tuple[str, SigningKey]:
    """Answer a key and its ring's algorithm.

    :raises Refused: there is no such key.
    """
    for ring in call.read(lambda db: store.rings(db, ended=True)):
        key = ring.find(kid)
        if key is not None:
            return ring.algorithm, key
    raise Refused(f"there is no key {kid}: `authserver keys list --all` shows them")


def _rotated_after(call: Call, change: Change) -> Answer:
    """Say what the wait led to, or in a dry run what it would be for."""
    answer = _rotated(call, change, [])
    if not call.dry_run:
        _forget_private_halves(call)
        return answer
    date = f"not before {when(change.at, call.now)}, and " if change.at > call.now else ""
    return Answer(answer.facts, [f"With --wait, {date}once every service has fetched the key:", *answer.body])


def _rotated(call: Call, change: Change, lacking: list[Readiness]) -> Answer:
    """Say what happened, and who lacked the key that signs now, or lacks the one that soon will."""
    answer, hints = report(change, call.parts.rotation.timing), list[str]()
    scheduled = change.before.next if change.after.active == change.before.active else None
    if scheduled is not None:
        found, hints = who_has(call, scheduled.kid, scheduled.sign_not_before(call.parts.rotation.timing))
        lacking = [one for one in found if not one.ready]
    return Answer({**answer.facts, "lacking": describe(lacking)}, [*answer.body, *hints])


def _forget_private_halves(call: Call) -> None:
    """Delete what no longer signs from the disk at once; the next round of maintenance would do it as well."""
    with suppress(DatabaseUnavailable):
        call.parts.rotation.keep(())


def _scheduled(call: Call, ring: Ring) -> tuple[dict[str, Any], str]:
    """A rotation that was asked for and waits for its date, in facts and in words."""
    at, kid = ring.due_at(call.parts.rotation.timing), ring.next.kid if ring.next else None
    words = f"{ring.algorithm}: a rotation is scheduled for {when(at, call.now)}: {kid} signs from then on."
    return {"algorithm": ring.algorithm, "at": at, "kid": kid}, words


def _date(call: Call, key: SigningKey) -> str:
    """Say in words the one date that matters for a key in its state."""
    timing, now = call.parts.rotation.timing, call.now
    words = {
        State.NEXT: ("may sign from", key.sign_not_before(timing)),
        State.ACTIVE: ("signs since", key.activated_at),
        State.RETIRED: ("is removed from", key.remove_not_before(timing)),
        State.REMOVED: ("since", key.ended_at),
        State.COMPROMISED: ("since", key.ended_at),
    }
    word, moment = words[key.state]
    return f"{word} {when(moment, now)}"


def _facts(call: Call, key: SigningKey) -> dict[str, Any]:
    timing = call.parts.rotation.timing
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "state": key.state.value,
        "published_at": key.published_at,
        "signs_from": key.activated_at or key.sign_not_before(timing),
        "active_since": key.activated_at,
        "retired_at": key.retired_at,
        "removed_from": key.ended_at or key.remove_not_before(timing),
    }
