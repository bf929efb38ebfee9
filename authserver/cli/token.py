"""`authserver token inspect`: what a token says, and whether anybody should believe it.

Verified with this server's published keys, by the same rules as in any resource service. What is not verified is
printed under names that say so, for people and programs alike. The signature is never printed: the output may end in
a ticket, and header and claims alone open nothing.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from authserver.cli.answers import Answer, Refused
from authserver.cli.call import Call
from authserver.cli.nouns import noun
from authserver.cli.verbs import verb
from authserver.clock import ceil_seconds
from authserver.keyring import store as keyring
from authserver.resource.jws import (
    MAX_TOKEN,
    MalformedToken,
    UnverifiedJWS,
    parse_compact,
    strict_json,
    verify_signature,
)
from authserver.resource.keys import PublicKeys
from authserver.resource.refusal import Refusal
from authserver.resource.revocation_set import Entry, RevocationSet, Snapshot
from authserver.resource.strict_json import MalformedJSON
from authserver.resource.verifier import verify
from authserver.revocations import store as revocations

app = noun("token")

TERMINAL: Final = "pipe the token in: authserver token inspect < token.txt"


@dataclass(frozen=True, slots=True)
class Known:
    """What this server publishes: what any resource service decides by."""

    keys: PublicKeys
    revocations: RevocationSet


@dataclass(frozen=True, slots=True)
class Findings:
    """`reason` is empty for a good token. `revoked` is None where an unverified token's claims could say anything."""

    verified: bool
    revoked: bool | None
    reason: str


@verb(app, "inspect")
def inspect(
    call: Call,
    token: Annotated[
        str, typer.Argument(help="The token. Else standard input, which other users cannot see.")
    ] = "",
) -> Answer:
    """Show a token's header and claims, and say whether it is good; exit code 1 if not.

    Example: authserver token inspect --json < token.txt
    """
    text = (token or _read(call)).strip()
    try:
        jws = parse_compact(text)
        unverified_claims = strict_json(jws.unverified_payload)
    except (MalformedToken, MalformedJSON) as malformed:
        return _malformed(str(malformed))
    known = call.read(lambda db: _known(db, call))
    return _answer(
        jws.unverified_header, unverified_claims, _judge(call, known, text, jws, unverified_claims)
    )


def _read(call: Call) -> str:
    if call.at_terminal():
        raise Refused(TERMINAL, code=2)
    return sys.stdin.buffer.read(MAX_TOKEN + 2).decode("ascii", "replace")


def _known(db: Connection, call: Call) -> Known:
    jwks = {"keys": [dict(key.public_jwk) for ring in keyring.rings(db) for key in ring.published]}
    head = revocations.head(db)
    entries = tuple(
        Entry(
            one.kind,
            one.value,
            ceil_seconds(one.expires_at),
            ceil_seconds(one.before) if one.before else None,
        )
        for one in revocations.after(db, 0, head.sequence, call.now)
    )
    listed = RevocationSet()
    listed.replace(Snapshot(head.epoch, head.sequence, entries))
    return Known(PublicKeys.from_jwks(jwks), listed)


def _judge(
    call: Call, known: Known, text: str, jws: UnverifiedJWS, unverified_claims: Mapping[str, Any]
) -> Findings:
    """The audience is whatever the token names: here nobody is about to accept it."""
    kid = jws.unverified_header["kid"]
    key = known.keys.get(kid)
    if key is None or verify_signature(jws, key) is None:
        reason = (
            "its key is none of this server's published keys" if key is None else "its signature is wrong"
        )
        return Findings(
            verified=False, revoked=True if kid in known.revocations.kids else None, reason=reason
        )
    verdict = verify(
        text,
        keys=known.keys,
        issuer=call.settings.issuer,
        audience=_audience(unverified_claims) or call.settings.token_audience,
        now=call.now.timestamp(),
    )
    if isinstance(verdict, Refusal):
        return Findings(
            verified=True, revoked=None, reason=f"{verdict.reason}: {verdict.detail}".removesuffix(": ")
        )
    hit = known.revocations.hit(verdict.claims, kid)
    return Findings(
        verified=True, revoked=hit is not None, reason=f"its {hit.kind} is revoked" if hit else ""
    )


def _audience(unverified_claims: Mapping[str, Any]) -> str | list[str]:
    audience = unverified_claims.get("aud")
    if isinstance(audience, list):
        return [one for one in audience if isinstance(one, str) and one]
    return audience if isinstance(audience, str) else ""


def _malformed(reason: str) -> Answer:
    facts = {"valid": False, "verified": False, "revoked": None, "reason": f"malformed: {reason}"}
    return Answer(facts, [f"NOT VALID: this is no token that any service would read ({reason})."], code=1)


def _answer(header: Mapping[str, Any], claims: Mapping[str, Any], found: Findings) -> Answer:
    mark = "" if found.verified else "unverified_"
    valid = not found.reason
    facts: dict[str, Any] = {
        "valid": valid,
        "verified": found.verified,
        "revoked": found.revoked,
        "reason": found.reason or None,
    }
    facts |= {f"{mark}header": dict(header), f"{mark}claims": dict(claims)}
    return Answer(
        facts,
        [_headline(found), *_printed(f"{mark}header", header), *_printed(f"{mark}claims", claims)],
        code=0 if valid else 1,
    )


def _headline(found: Findings) -> str:
    if not found.verified:
        revoked = "; its key is on the revocation list" if found.revoked else ""
        return f"UNVERIFIED: {found.reason}{revoked}. Anybody can have written what follows."
    if found.reason:
        return f"NOT VALID: {found.reason}. It was signed by this server."
    return "VALID: signed by this server, in time, and not on the revocation list."


def _printed(name: str, members: Mapping[str, Any]) -> list[str]:
    return [f"{name}:", *json.dumps(dict(members), indent=2, ensure_ascii=False).splitlines()]
