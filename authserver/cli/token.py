"""`authserver token inspect|explain`: what a token says, and why a resource service would take it or refuse it.

Verified with this server's keys, by the same rules as in any resource service. What is not verified is printed under
names that say so, for people and programs alike. The signature is never printed: the output may end in a ticket, and
header and claims alone open nothing.
"""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.diagnosis import Asked, Diagnosis, Finding, diagnose
from authserver.cli.nouns import noun
from authserver.cli.verbs import verb
from authserver.resource.jws import MAX_TOKEN, MalformedToken, parse_compact, strict_json
from authserver.resource.refusal import Reason
from authserver.resource.strict_json import MalformedJSON

app = noun("token")

TERMINAL: Final = "pipe the token in: authserver token inspect < token.txt"
STDIN: Final = "-"
_NEXT: Final[Mapping[Reason, str]] = {
    Reason.MALFORMED: "copy the token whole: three parts with a dot between, no quotes, no line breaks",
    Reason.UNKNOWN_KEY: "look whether --data is this token's server and `keys list` shows its key; else sign in again",
    Reason.BAD_SIGNATURE: "get a new token: this one was changed after it was signed, or was never ours",
    Reason.WRONG_TYPE: "send the access token: an ID token or another document opens no service",
    Reason.WRONG_ISSUER: "compare the setting issuer with the guard's first argument, letter by letter",
    Reason.WRONG_AUDIENCE: "give the guard the audience that the token names, or ask for a token with the guard's",
    Reason.EXPIRED: "get a new one: POST /session/refresh while the session lives, else sign in again",
    Reason.NOT_YET_VALID: "compare the clocks of this server and of the service: both should follow NTP",
    Reason.SIGNED_OUT: "sign in again: a signed-out token never comes back",
}
_ACCEPTED: Final = (
    "if a service refuses it all the same, compare the service's issuer, audience and clock with these; "
    "Guard(…, explain=True) makes it say which"
)
_MARKS: Final = {True: "ok", False: "NO", None: ""}

Given = Annotated[
    str, typer.Argument(help="The token. Else, or with -, standard input, which other users cannot see.")
]


@verb(app, "inspect")
def inspect(call: Call, token: Given = "") -> Answer:
    """Show a token's header and claims, and say whether it is good; exit code 1 if not.

    Example: authserver token inspect --json < token.txt
    """
    text = _text(call, token)
    try:
        jws = parse_compact(text)
        unverified_claims = strict_json(jws.unverified_payload)
    except (MalformedToken, MalformedJSON) as malformed:
        return _malformed(str(malformed))
    return _shown(jws.unverified_header, unverified_claims, _diagnosed(call, text))


@verb(app, "explain")
def explain(
    call: Call,
    token: Given = "",
    *,
    audience: Annotated[
        str, typer.Option(help="The service's. Else any that the token names is right.", metavar="URL")
    ] = "",
) -> Answer:
    """Say exactly why a resource service would take a token or refuse it; exit code 1 if refused.

    Example: authserver token explain --audience https://api.example.com < token.txt
    """
    found = _diagnosed(call, _text(call, token), audience)
    against = found.against
    reason = against.reason if against else None
    headline = "ACCEPTED by every service that is up to date." if against is None else _refused(against)
    next_step = _ACCEPTED if reason is None else _NEXT[reason]
    facts = {
        "accepted": against is None,
        "reason": reason,
        "verified": found.vouched,
        "next": next_step,
        "findings": [_described(one) for one in found.findings],
    }
    rows = [(one.check, _MARKS[one.good], one.says) for one in found.findings]
    return Answer(
        facts, [headline, Table(("", "", ""), rows), f"Next: {next_step}."], code=int(against is not None)
    )


def _text(call: Call, token: str) -> str:
    if token and token != STDIN:
        return token.strip()
    if call.at_terminal():
        raise Refused(TERMINAL, code=2)
    return sys.stdin.buffer.read(MAX_TOKEN + 2).decode("ascii", "replace").strip()


def _diagnosed(call: Call, text: str, audience: str = "") -> Diagnosis:
    now = call.now
    asked = Asked(call.settings.issuer, audience, now, call.parts.lifetime.seen_after(now))
    return call.read(lambda db: diagnose(db, text, asked))


def _refused(against: Finding) -> str:
    return f"REFUSED ({against.reason}): {against.says}."


def _described(one: Finding) -> dict[str, Any]:
    return {"check": one.check, "good": one.good, "says": one.says, **one.facts}


def _malformed(reason: str) -> Answer:
    facts = {"valid": False, "verified": False, "revoked": None, "reason": f"malformed: {reason}"}
    return Answer(facts, [f"NOT VALID: this is no token that any service would read ({reason})."], code=1)


def _shown(header: Mapping[str, Any], claims: Mapping[str, Any], found: Diagnosis) -> Answer:
    mark = "" if found.vouched else "unverified_"
    against = found.against
    facts: dict[str, Any] = {
        "valid": against is None,
        "verified": found.vouched,
        "revoked": found.is_revoked,
        "reason": against.says if against else None,
    }
    facts |= {f"{mark}header": dict(header), f"{mark}claims": dict(claims)}
    return Answer(
        facts,
        [_headline(found), *_printed(f"{mark}header", header), *_printed(f"{mark}claims", claims)],
        code=int(against is not None),
    )


def _headline(found: Diagnosis) -> str:
    against = found.against
    if against is None:
        return "VALID: signed by this server, in time, and not on the revocation list."
    if not found.vouched:
        return f"UNVERIFIED: {against.says}. Anybody can have written what follows."
    return f"NOT VALID: {against.says}. It was signed by this server."


def _printed(name: str, members: Mapping[str, Any]) -> list[str]:
    return [f"{name}:", *json.dumps(dict(members), indent=2, ensure_ascii=False).splitlines()]
