"""A client proves who it is by a JWT that it signed: private_key_jwt (RFC 7523 §3, its revision, OIDC Core §9).

In order, the first that fails ends it, and the client hears the same words each time; the reason is for our log.

1. the strict door; `typ` is the one for this, or none: no other JWT of the client's or ours will do
2. the key: one that the client registered, by `kid`, or its only one for this `alg`; `alg` is the key's one algorithm,
   and the one that the client registered, if it did
3. the signature
4. `iss` = `sub` = the client
5. `aud`: our issuer, as one string and nothing else. Whoever accepts more can be shown an assertion that the client made
   for another server; so the token endpoint's address is accepted from clients only whose operator said so
6. `exp` near, `iat` and `nbf` not ahead
7. `jti`: once. It is claimed in the transaction of the request, whatever becomes of the request
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from authserver.clients import public_keys
from authserver.clients.store import Client
from authserver.logs import get_logger
from authserver.protocol import paths
from authserver.protocol.media import CLIENT_ASSERTION_TYP
from authserver.replays import store as replays
from authserver.resource.jws import (
    MalformedToken,
    UnverifiedJWS,
    VerifiedClaims,
    parse_compact,
    strict_json,
    verified_claims,
    verify_signature,
)
from authserver.resource.keys import InvalidKeySet, PublicKey
from authserver.resource.strict_json import MalformedJSON

TYPS: Final = frozenset({"", "jwt", CLIENT_ASSERTION_TYP, f"application/{CLIENT_ASSERTION_TYP}"})
LONGEST_LIFE: Final = 300  # seconds
BEHIND: Final = 60  # seconds that the client's clock may be slow
AHEAD: Final = 30  # seconds that it may be fast: FAPI 2.0 wants 10 accepted, and 60 refused
LONGEST: Final = 8_192
LONGEST_JTI: Final = 256
_NUMBERS: Final = frozenset((int, float))  # by type: True is an int to isinstance

log = get_logger("authserver.oauth")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why, for our log: nothing that was sent is in it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that is genuine, and for us, now."""

    jti: str
    expires_at: datetime


def unverified_client_id(assertion: str) -> str | None:
    """Whose assertion it says it is; None for what is no assertion at all."""
    try:
        unverified_sub = strict_json(_opened(assertion).unverified_payload).get("sub")
    except (MalformedToken, MalformedJSON):
        return None
    return unverified_sub if isinstance(unverified_sub, str) and unverified_sub else None


def proves(db: Connection, client: Client, assertion: str, issuer: str, now: datetime) -> bool:
    """Say whether this is the client, and use the assertion up."""
    outcome = verify_assertion(client, assertion, issuer, now)
    if isinstance(outcome, Assertion) and not _claim(db, client, outcome):
        outcome = Refused("jti was used before")
    if isinstance(outcome, Refused):
        log.info("client assertion refused", client_id=client.client_id, reason=outcome.reason)
    return isinstance(outcome, Assertion)


def verify_assertion(client: Client, assertion: str, issuer: str, now: datetime) -> Assertion | Refused:
    """Judge everything but whether it was used before."""
    try:
        jws = _opened(assertion)
        key = _key(client, jws)
        if isinstance(key, Refused):
            return key
        payload = verify_signature(jws, key)
        if payload is None:
            return Refused("the signature is not by that key with its algorithm")
        claims = verified_claims(payload)
    except MalformedToken as malformed:
        return Refused(malformed.reason)
    wrong = _wrong_parties(claims, client, issuer) or _wrong_times(claims, now.timestamp())
    return Refused(wrong) if wrong is not None else Assertion(claims["jti"], _until(claims["exp"]))


def _opened(assertion: str) -> UnverifiedJWS:
    return parse_compact(assertion, max_length=LONGEST, kid_required=False)


def _key(client: Client, jws: UnverifiedJWS) -> PublicKey | Refused:
    header: Mapping[str, Any] = jws.unverified_header
    registered = client.token_endpoint_auth_signing_alg
    if header.get("typ", "").lower() not in TYPS:
        return Refused("typ is that of another kind of JWT")
    alg = header["alg"]
    known = alg in public_keys.ALGORITHMS
    if not known or (registered is not None and not public_keys.same_algorithm(registered, alg)):
        return Refused("alg is not the client's")
    if client.jwks is None:
        return Refused("no keys: the client registered jwks_uri, which is not fetched; register jwks")
    try:
        keys = public_keys.usable(client.jwks, alg if registered or public_keys.has_two_names(alg) else None)
    except InvalidKeySet as invalid:
        return Refused(f"its jwks: {invalid}")
    named = [header["kid"]] if "kid" in header else keys.kids
    fitting = [key for kid in named if (key := keys.get(kid)) is not None and key.alg == alg]
    return fitting[0] if len(fitting) == 1 else Refused("no key, or more than one, of that kid and alg")


def _wrong_parties(claims: VerifiedClaims, client: Client, issuer: str) -> str | None:
    if not claims.get("iss") == claims.get("sub") == client.client_id:
        return "iss and sub are not both the client"
    audience: Any = claims.get("aud")
    accepted = {issuer}
    if client.assertion_for_token_endpoint:
        accepted.add(issuer + paths.TOKEN)
        audience = audience[0] if isinstance(audience, list) and len(audience) == 1 else audience
    if not isinstance(audience, str) or audience not in accepted:
        return "aud is not our issuer alone"
    jti: Any = claims.get("jti")
    return None if isinstance(jti, str) and 0 < len(jti) <= LONGEST_JTI else "jti is missing or too long"


def _wrong_times(claims: VerifiedClaims, now: float) -> str | None:
    exp: Any = claims.get("exp")
    iat, nbf = claims.get("iat", now), claims.get("nbf", now)
    if not {type(exp), type(iat), type(nbf)} <= _NUMBERS:
        return "exp is missing, or it, iat or nbf is no number"
    if now >= exp + BEHIND:
        return "expired"
    if exp > now + LONGEST_LIFE + BEHIND:
        return f"exp is more than {LONGEST_LIFE} s ahead"
    if max(iat, nbf) > now + AHEAD:
        return "iat or nbf is ahead"
    return "iat is too long ago" if iat < now - LONGEST_LIFE - BEHIND else None


def _claim(db: Connection, client: Client, assertion: Assertion) -> bool:
    return replays.claim(
        db, "client_assertion", client.client_id, assertion.jti, expires_at=assertion.expires_at
    )


def _until(exp: float) -> datetime:
    """When it is refused for its age by the slowest clock of our servers."""
    return datetime.fromtimestamp(exp, UTC) + timedelta(seconds=2 * BEHIND)
