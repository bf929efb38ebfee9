"""Why a resource service would take a token or refuse it, from all that this server knows: `token inspect|explain`.

A service knows the published keys and the revocation list, and goes by nothing else. The server knows more: keys that
are gone, who signed a session out and when, what became of the account. So findings are of two kinds: those that a
service decides by, and those that only explain (`good` is None). Claims are looked at once a key of ours vouches for
them; a compromised key vouches for nothing, for whoever stole it writes any claim they like.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.audit import store as audit
from authserver.cli.times import iso, when
from authserver.clock import ceil_seconds
from authserver.keyring import store as keyring
from authserver.keyring.states import SigningKey, State
from authserver.protocol.revocation import Kind
from authserver.resource.jws import (
    MalformedToken,
    UnverifiedJWS,
    VerifiedClaims,
    parse_compact,
    verified_claims,
    verify_signature,
)
from authserver.resource.keys import PublicKeys
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.strict_json import MalformedJSON, strict_json
from authserver.resource.verifier import verify
from authserver.revocations import store as revocations
from authserver.revocations.store import Revocation
from authserver.sessions import store as sessions

_CAUSES: Final = 1_000  # how far back the audit log is searched
_LONGEST_SHOWN: Final = 200
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SINCE: Final[Mapping[State, str]] = {
    State.NEXT: "published_at",
    State.ACTIVE: "activated_at",
    State.RETIRED: "retired_at",
    State.REMOVED: "ended_at",
    State.COMPROMISED: "ended_at",
}
_ENDED: Final[Mapping[State, Reason]] = {
    State.REMOVED: Reason.UNKNOWN_KEY,
    State.COMPROMISED: Reason.SIGNED_OUT,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`good` None: no service looks at it. `reason` is the refusal of a service that does not like it."""

    check: str
    good: bool | None
    says: str
    reason: Reason | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a token is compared with. No `audience`: whichever the token names."""

    issuer: str
    audience: str
    now: datetime
    seen_after: datetime


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """In the order of a service's own checks; `vouched` when a trusted key of this server signed the token."""

    vouched: bool
    findings: tuple[Finding, ...]

    @property
    def against(self) -> Finding | None:
        """The first thing that a service would stumble over."""
        return next((one for one in self.findings if one.good is False), None)

    @property
    def is_revoked(self) -> bool | None:
        """None where unverified claims could say anything."""
        found = any(one.check == "revocation" and one.good is False for one in self.findings)
        return True if found else False if self.vouched else None


def diagnose(db: Connection, text: str, asked: Asked) -> Diagnosis:
    """Everything about one token. The list is read as a whole: it is an operator's question, not a request's."""
    try:
        jws = parse_compact(text)
    except MalformedToken as malformed:
        return Diagnosis(False, (Finding("form", False, str(malformed), Reason.MALFORMED),))
    kid = str(jws.unverified_header["kid"])
    key = next((found for ring in keyring.rings(db, ended=True) if (found := ring.find(kid))), None)
    listed = revocations.after(db, 0, revocations.head(db).sequence, asked.now)
    about_key = (_about_key(kid, key, asked.now), *_entries(db, listed, {}, kid, asked.now))
    if key is None:
        return Diagnosis(False, (*about_key, *_unverified_issuer(jws)))
    signature, claims = _signature(jws, key)
    if claims is None or key.state is State.COMPROMISED:
        return Diagnosis(claims is not None and key.state is not State.COMPROMISED, (*about_key, signature))
    return Diagnosis(True, (about_key[0], signature, *_about_claims(db, text, claims, key, listed, asked)))


def _about_claims(
    db: Connection,
    text: str,
    claims: VerifiedClaims,
    key: SigningKey,
    listed: list[Revocation],
    asked: Asked,
) -> Iterator[Finding]:
    yield _claims(text, claims, key, asked)
    yield from _entries(db, listed, claims, key.kid, asked.now)
    sub, sid = claims.get("sub"), claims.get("sid")
    if isinstance(sub, str):
        yield _account(db, sub, asked.now)
    if isinstance(sid, str):
        yield _session(db, sid, asked)


def _about_key(kid: str, key: SigningKey | None, now: datetime) -> Finding:
    if key is None:
        says = f"its key {kid} is none of this server's keys, and never was"
        return Finding("key", False, says, Reason.UNKNOWN_KEY, {"kid": kid, "state": None})
    since = getattr(key, _SINCE[key.state])
    facts = {"kid": kid, "state": key.state.value, "since": since}
    says = f"its key {kid} is {key.state.value} since {when(since, now)}"
    reason = _ENDED.get(key.state)
    return Finding("key", reason is None, says, reason, facts)


def _unverified_issuer(jws: UnverifiedJWS) -> Iterator[Finding]:
    """Where a stranger's token says that it comes from: often all that it takes to find the mistake."""
    try:
        unverified_iss = strict_json(jws.unverified_payload).get("iss")
    except MalformedJSON:
        return
    if isinstance(unverified_iss, str):
        unverified_iss = unverified_iss[:_LONGEST_SHOWN]
        says = f"it says that it comes from {unverified_iss}, which is not verified: anybody can write that"
        yield Finding("issuer", None, says, facts={"unverified_iss": unverified_iss})


def _signature(jws: UnverifiedJWS, key: SigningKey) -> tuple[Finding, VerifiedClaims | None]:
    public = PublicKeys.from_jwks({"keys": [dict(key.public_jwk)]}).get(key.kid)
    payload = verify_signature(jws, public) if public is not None else None
    if payload is None:
        wrong = "its signature is wrong"
        return Finding("signature", False, wrong, Reason.BAD_SIGNATURE), None
    try:
        return Finding("signature", True, f"signed by this server with {key.algorithm}"), verified_claims(
            payload
        )
    except MalformedToken as malformed:
        return Finding("signature", False, str(malformed), Reason.MALFORMED), None


def _claims(text: str, claims: VerifiedClaims, key: SigningKey, asked: Asked) -> Finding:
    """By the very function that services decide with."""
    outcome = verify(
        text,
        keys=PublicKeys.from_jwks({"keys": [dict(key.public_jwk)]}),
        issuer=asked.issuer,
        audience=asked.audience or _named(claims) or asked.issuer,
        now=asked.now.timestamp(),
    )
    if isinstance(outcome, Refusal):
        facts = {name: value for name, value in outcome.facts.items() if name not in {"now", "kind"}}
        return Finding("claims", False, _compared(outcome), outcome.reason, facts)
    until = datetime.fromtimestamp(outcome.expires_at, UTC)
    audience = _named(claims)
    says = f"for {', '.join(audience)}, good until {when(until, asked.now)}"
    return Finding("claims", True, says, facts={"audience": audience, "expires_at": until})


def _compared(outcome: Refusal) -> str:
    """Say what the token has beside what was expected of it."""
    facts = outcome.facts
    if outcome.reason is Reason.WRONG_AUDIENCE:
        has = ", ".join(str(one) for one in facts["aud"]) or "nobody"
        return f"the token is for {has}, the service is {', '.join(facts['expected'])}"
    if outcome.reason is Reason.WRONG_ISSUER:
        return f"the token comes from {facts['iss'] or 'nobody'}, the service trusts {facts['expected']}"
    if outcome.reason is Reason.WRONG_TYPE and "typ" in facts:
        return f"its typ is {facts['typ'] or 'missing'}, an access token's is at+jwt"
    lead = "as an access token it is not well formed: " if outcome.reason is Reason.MALFORMED else ""
    return f"{lead}{outcome.detail}"


def _named(claims: Mapping[str, Any]) -> list[str]:
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    return [one for one in named if isinstance(one, str) and one]


def _entries(
    db: Connection, listed: list[Revocation], claims: Mapping[str, Any], kid: str, now: datetime
) -> Iterator[Finding]:
    """Each entry of the list that ends this token, the oldest first."""
    values = {Kind.KID: kid} | {kind: claims.get(kind.value) for kind in Kind if kind is not Kind.KID}
    for entry in listed:
        if entry.value == values[entry.kind] and _is_older(claims.get("iat"), entry.before):
            yield _listed(entry, _cause(db, entry, claims.get("sub")), now)


def _is_older(iat: object, before: datetime | None) -> bool:
    return before is None or (isinstance(iat, int | float) and iat < ceil_seconds(before))


def _listed(entry: Revocation, cause: str | None, now: datetime) -> Finding:
    cutoff = f" for tokens issued before {iso(entry.before)}" if entry.before else ""
    because = f": {cause}" if cause else ""
    says = f"its {entry.kind.value} is revoked{cutoff} since {when(entry.created_at, now)}, sequence {entry.sequence}{because}"
    facts = {
        "kind": entry.kind.value,
        "sequence": entry.sequence,
        "since": entry.created_at,
        "before": entry.before,
        "cause": cause,
    }
    return Finding("revocation", False, says, Reason.SIGNED_OUT, facts)


def _cause(db: Connection, entry: Revocation, sub: object) -> str | None:
    """What the audit log says of that very moment: an entry and its cause are one transaction with one time."""
    account = audit.entries(db, limit=_CAUSES, account_id=sub) if isinstance(sub, str) else []
    for row in [*account, *audit.entries(db, limit=_CAUSES, event="revocation.added")]:
        if row.at == entry.created_at:
            return f"{row.event} by {row.actor}"
    return None


def _account(db: Connection, sub: str, now: datetime) -> Finding:
    account = accounts.by_id(db, sub)
    if account is None:
        return Finding("account", None, f"there is no account {sub}", facts={"state": None})
    if account.disabled_at is not None:
        says = f"the account {account.username} is disabled since {when(account.disabled_at, now)}"
        return Finding("account", None, says, facts={"state": "disabled", "since": account.disabled_at})
    return Finding("account", None, f"the account {account.username} is enabled", facts={"state": "enabled"})


def _session(db: Connection, sid: str, asked: Asked) -> Finding:
    living = sessions.by_id(db, sid, now=asked.now, seen_after=asked.seen_after)
    if living is not None:
        until = living[0].expires_at
        return Finding(
            "session", None, f"its session is alive, until {when(until, asked.now)}", facts={"state": "alive"}
        )
    owner = sessions.owner(db, sid)
    if owner is None:
        return Finding("session", None, f"there is no session {sid} any more", facts={"state": None})
    if over := _over_by_itself(db, sid, asked):
        return over
    for row in audit.entries(db, limit=_CAUSES, account_id=owner):
        if row.session_id == sid and row.event.startswith("session."):
            says = f"its session ended {when(row.at, asked.now)}: {row.event} by {row.actor}"
            return Finding("session", None, says, facts={"state": "ended", "since": row.at})
    return Finding("session", None, "its session has ended", facts={"state": "ended"})


def _over_by_itself(db: Connection, sid: str, asked: Asked) -> Finding | None:
    """Whoever is found when one limit is left out of sight was stopped by that one, and ended by nobody."""
    unused = sessions.by_id(db, sid, now=asked.now, seen_after=_LONG_AGO)
    if unused is not None:
        seen = unused[0].last_seen_at
        says = f"its session was ended by nobody but not used for too long: last {when(seen, asked.now)}"
        return Finding("session", None, says, facts={"state": "unused", "since": seen})
    expired = sessions.by_id(db, sid, now=_LONG_AGO, seen_after=_LONG_AGO)
    if expired is not None:
        end = expired[0].expires_at
        says = f"its session reached the end of its lifetime {when(end, asked.now)}"
        return Finding("session", None, says, facts={"state": "expired", "since": end})
    return None
