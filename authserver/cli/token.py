"""`authserver token inspect|explain`: what a token says, and why a resource service would take it or refuse it.

Verified with this server's keys, by the same rules as in any resource service. What is not verified is printed under
names that say so, for people and programs alike. The signature is never printed: the output may end in a ticket, and
header and claims alone open nothing.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from authserver.cli.answers import Answer, Refused, Table
from authserver.cli.call import Call
from authserver.cli.diagnosis import Asked, Diagnosis, Finding, diagnose
from authserver.cli.nouns import noun
from authserver.cli.verbs import verb
from authserver.protocol.revocation import Kind
from authserver.resource.jws import MAX_TOKEN, MalformedToken, parse_compact, strict_json
from authserver.resource.refusal import Reason
from authserver.resource.strict_json import MalformedJSON

app = noun("token")

STDIN: Final = "-"
QUOTES: Final = " \t\r\n\"'`"
MOST_READ: Final = MAX_TOKEN + 100  # what is longer, cut here, is still too long
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
_INCOMPLETE: Final = (
    "look at what makes the token: it is signed well, but RFC 9068 §2.2 asks for other claims"
)
_NEW_ONE: Final = (
    "get a new token: POST /session/refresh, or the refresh token. Only this one ended, its session did not"
)
_ITS_KEY: Final = (
    "get a new token by POST /session/refresh, or sign in again: its key is distrusted, its session lives"
)
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
    text = _text(call, token, "inspect")
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
    found = _diagnosed(call, _text(call, token, "explain"), audience)
    against = found.against
    reason = against.reason if against else None
    headline = "ACCEPTED by every service that is up to date." if against is None else _refused(against)
    next_step = _ACCEPTED if against is None else _next(against, vouched=found.vouched)
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


def _text(call: Call, token: str, verb: str) -> str:
    """Answer the token alone, however it was copied.

    :raises Refused: there is none.
    """
    if token and token != STDIN:
        return _bare(token)
    hint = f"authserver token {verb} < token.txt"
    if call.at_terminal():
        raise Refused(f"pipe the token in: {hint}", code=2)
    text = _bare(sys.stdin.buffer.read(MOST_READ).decode("ascii", "replace"))
    if not text:
        raise Refused(f"nothing came on standard input; pipe the token in: {hint}", code=2)
    return text


def _bare(text: str) -> str:
    """Take off what a header, a shell or a JSON document puts around a token: no token has any of it."""
    bare = re.sub(r"^(authorization:\s*)?bearer\s", "", text.strip(QUOTES), flags=re.IGNORECASE)
    return bare.strip(QUOTES)


def _next(against: Finding, *, vouched: bool) -> str:
    """Say what to do. What ended a token need not have ended its session."""
    reason, kind = against.reason or Reason.MALFORMED, against.facts.get("kind")
    if reason is Reason.MALFORMED and vouched:
        return _INCOMPLETE
    if reason is Reason.SIGNED_OUT and (against.check == "key" or kind == Kind.KID):
        return _ITS_KEY
    return _NEW_ONE if reason is Reason.SIGNED_OUT and kind == Kind.JTI else _NEXT[reason]


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
