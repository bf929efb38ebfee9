"""May this access token be used here, now? Pure: no clock, no network, no state but a cache of its own answers.

RFC 9068 §4, RFC 8725. In order: the strict door; the key by `kid` and its one algorithm; the signature; `typ` (an ID
token, a logout token or a client assertion is no access token, whoever signed it); `iss` and `aud` to the letter;
times with leeway; the claims RFC 9068 §2.2 requires; `cnf` (RFC 7800, RFC 9449 §6: stolen without its key it must be
worth nothing, so it is no bearer token; and a bearer token gains nothing by a key); the revocation list.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authserver.protocol.media import ACCESS_TOKEN_TYP
from authserver.resource.jws import (
    MalformedToken,
    UnverifiedJWS,
    VerifiedClaims,
    parse_compact,
    verified_claims,
    verify_signature,
)
from authserver.resource.keys import PublicKey, PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.revocation_set import RevocationSet

LEEWAY: Final = 60
ANY_KEY: Final = "*"  # no thumbprint: for whoever looks at a token that somebody else will use
_NUMBERS: Final = frozenset(
    (int, float)
)  # by type: True is an int to isinstance; the door lets no infinity in
_LONGEST: Final = 10**12
_MOST_SHOWN: Final = 5
_LONGEST_SHOWN: Final = 200
_TYPS: Final = frozenset((ACCESS_TOKEN_TYP, f"application/{ACCESS_TOKEN_TYP}"))  # RFC 9068 §4


def verify(
    token: str,
    *,
    keys: PublicKeys,
    issuer: str,
    audience: str | Collection[str],
    now: float,
    leeway: float = LEEWAY,
    revocations: RevocationSet | None = None,
    thumbprint: str | None = None,
) -> Principal | Refusal:
    """The holder of `token`, or why it is refused. `now` and `leeway` in seconds.

    `thumbprint` of the key that the sender has proved to have (`dpop`), None for a bearer.
    """
    expected = _Expected.of(issuer, audience, leeway)
    outcome = _verify(token, keys, expected, now)
    return outcome if isinstance(outcome, Refusal) else unless_lost(outcome, thumbprint, revocations)


class Verifier:
    """`verify` bound to one issuer and audience, remembering tokens it found genuine.

    Expiry and revocation are looked at on every call; another set of keys empties the memory.
    """

    def __init__(
        self, issuer: str, audience: str | Collection[str], *, leeway: float = LEEWAY, remember: int = 4_096
    ) -> None:
        self._expected = _Expected.of(issuer, audience, leeway)
        self._half = remember // 2
        self._memory = _Memory(None, {}, {})

    def verify(
        self,
        token: str,
        *,
        keys: PublicKeys,
        now: float,
        revocations: RevocationSet | None = None,
        thumbprint: str | None = None,
    ) -> Principal | Refusal:
        """As the function `verify`."""
        memory = self._memory
        if memory.keys is not keys:
            memory = self._memory = _Memory(keys, {}, {})
        known = memory.young.get(token) or memory.old.get(token)
        if known is None:
            outcome = _verify(token, keys, self._expected, now)
            if isinstance(outcome, Refusal):
                return outcome
            self._remember(memory, token, outcome)
        else:
            outcome = known
            refusal = _check_times(known._claims, self._expected.leeway, now)  # noqa: SLF001 - the hot path
            if refusal is not None:
                return refusal
        return unless_lost(outcome, thumbprint, revocations)

    def _remember(self, memory: "_Memory", token: str, principal: Principal) -> None:
        """Two generations: dropping the older one is one assignment, so threads need no lock."""
        if self._half and len(memory.young) >= self._half and memory is self._memory:
            memory = self._memory = _Memory(memory.keys, {}, memory.young)
        if self._half:
            memory.young[token] = principal


@dataclass(frozen=True, slots=True)
class _Memory:
    """Bound to the keys that vouched for it: a thread that still holds older keys cannot write into a newer one."""

    keys: PublicKeys | None
    young: dict[str, Principal]
    old: dict[str, Principal]


@dataclass(frozen=True, slots=True)
class _Expected:
    issuer: str
    audiences: frozenset[str]
    leeway: float

    @classmethod
    def of(cls, issuer: str, audience: str | Collection[str], leeway: float) -> "_Expected":
        audiences = frozenset((audience,) if isinstance(audience, str) else audience)
        if not issuer or not audiences or not all(audiences):
            raise ValueError("an issuer and at least one audience are needed; neither has a default")
        return cls(issuer, audiences, leeway)


def _verify(token: str, keys: PublicKeys, expected: _Expected, now: float) -> Principal | Refusal:
    """Everything but the revocation list."""
    try:
        jws = parse_compact(token)
        key = keys.get(jws.unverified_header["kid"])
        if key is None:
            return _unknown_key(jws.unverified_header["kid"], keys)
        payload = verify_signature(jws, key)
        if payload is None:
            return _bad_signature(jws, key)
        typ = jws.unverified_header.get("typ", "")
        if typ not in _TYPS and typ.lower() not in _TYPS:
            return Refusal(Reason.WRONG_TYPE, "typ is not at+jwt", facts={"kind": "typ", "typ": typ})
        claims = verified_claims(payload)
    except MalformedToken as malformed:
        return Refusal(Reason.MALFORMED, malformed.reason)
    return (
        _check_parties(claims, expected)
        or _check_times(claims, expected.leeway, now)
        or _check_shapes(claims)
        or Principal(claims, key.kid)
    )


def _check_parties(claims: VerifiedClaims, expected: _Expected) -> Refusal | None:
    if claims.get("iss") != expected.issuer:
        facts = {"iss": _shown(claims.get("iss")), "expected": expected.issuer}
        return Refusal(Reason.WRONG_ISSUER, f"iss is not {expected.issuer}", facts=facts)
    audience = claims.get("aud")
    if isinstance(audience, str):
        return None if audience in expected.audiences else _wrong_audience([audience], expected)
    if not isinstance(audience, list) or not _are_texts(audience):
        return Refusal(Reason.MALFORMED, "aud is neither a string nor strings")
    return _wrong_audience(audience, expected) if expected.audiences.isdisjoint(audience) else None


def _check_times(claims: VerifiedClaims, leeway: float, now: float) -> Refusal | None:
    exp: Any = claims.get("exp")
    iat: Any = claims.get("iat")
    nbf: Any = claims.get("nbf", 0)
    if type(exp) not in _NUMBERS or type(iat) not in _NUMBERS or type(nbf) not in _NUMBERS:
        return Refusal(Reason.MALFORMED, "exp, iat and nbf must be numbers")
    if now >= exp + leeway:  # RFC 7519 §4.1.4: on or after
        return _expired(exp, leeway, now)
    if now + leeway < iat or now + leeway < nbf:
        return _not_yet_valid("iat" if iat >= nbf else "nbf", max(iat, nbf), leeway, now)
    return None


def _check_shapes(claims: VerifiedClaims) -> Refusal | None:
    """RFC 9068 §2.2; iss, aud, exp and iat are behind us. What is absent and optional counts as well-formed."""
    get = claims.get
    sub, client_id, jti, sid = get("sub"), get("client_id"), get("jti"), get("sid", "-")
    if not (sub and client_id and jti and sid):
        return Refusal(Reason.MALFORMED, "no sub, client_id or jti")
    if not type(sub) is type(client_id) is type(jti) is type(sid) is type(get("scope", "")) is str:
        return Refusal(Reason.MALFORMED, "sub, client_id, jti, sid or scope is not a string")
    if type(get("grant_id", "")) is not str:
        return Refusal(Reason.MALFORMED, "grant_id is not a string")
    if "cnf" in claims and not _names_a_key(claims["cnf"]):
        return Refusal(Reason.WRONG_TYPE, "cnf is not the thumbprint of a key", facts={"kind": "cnf"})
    if "roles" in claims and not _are_texts(claims["roles"]):
        return Refusal(Reason.MALFORMED, "roles")
    return None if type(get("auth_time", 0)) in _NUMBERS else Refusal(Reason.MALFORMED, "auth_time")


def unless_lost(
    principal: Principal, thumbprint: str | None, revocations: RevocationSet | None
) -> Principal | Refusal:
    """Unless the token is in the wrong hands, or revoked: what may differ each time that it is shown."""
    claims = principal._claims  # noqa: SLF001 - `claims` copies
    if ("cnf" in claims or thumbprint is not None) and thumbprint != ANY_KEY:
        refusal = _check_possession(claims.get("cnf"), thumbprint)
        if refusal is not None:
            return refusal
    if revocations is None:
        return principal
    entry = revocations.hit(claims, principal.kid)
    if entry is None:
        return principal
    facts = {"kind": entry.kind.value, "before": entry.before, "sequence": revocations.sequence}
    return Refusal(Reason.SIGNED_OUT, f"its {entry.kind} is revoked", facts=facts)


def _names_a_key(cnf: object) -> bool:
    """The one way to bind a token that is known here; another one beside it would go unchecked."""
    return isinstance(cnf, dict) and cnf.keys() == {"jkt"} and isinstance(cnf["jkt"], str)


def _check_possession(cnf: Mapping[str, str] | None, thumbprint: str | None) -> Refusal | None:
    if thumbprint is None:
        return Refusal(
            Reason.WRONG_TYPE, "a sender-constrained token sent as a bearer token", facts={"kind": "cnf"}
        )
    if cnf is None:
        return Refusal(Reason.WRONG_TYPE, "a bearer token sent as a bound one", facts={"kind": "bearer"})
    if cnf["jkt"] != thumbprint:
        return Refusal(Reason.BAD_PROOF, "the token is bound to another key", facts={"kind": "key"})
    return None


def _unknown_key(kid: str, keys: PublicKeys) -> Refusal:
    return Refusal(
        Reason.UNKNOWN_KEY, f"{kid} is none of {len(keys)} keys", facts={"kid": kid, "known": len(keys)}
    )


def _bad_signature(jws: UnverifiedJWS, key: PublicKey) -> Refusal:
    facts = {"kid": key.kid, "alg": jws.unverified_header["alg"], "expected": key.alg}
    return Refusal(Reason.BAD_SIGNATURE, f"not signed by {key.kid} with {key.alg}", facts=facts)


def _wrong_audience(audience: list[str], expected: _Expected) -> Refusal:
    facts = {"aud": [_shown(one) for one in audience[:_MOST_SHOWN]], "expected": sorted(expected.audiences)}
    return Refusal(
        Reason.WRONG_AUDIENCE, f"aud is none of {', '.join(sorted(expected.audiences))}", facts=facts
    )


def _expired(exp: float, leeway: float, now: float) -> Refusal:
    ago = _whole(now - exp)
    facts = {"ago": ago, "leeway": leeway, "exp": _whole(exp), "now": _whole(now)}
    detail = f"expired {ago} s ago by our clock; {leeway:g} s of clock skew are accepted"
    return Refusal(Reason.EXPIRED, detail, facts=facts)


def _not_yet_valid(claim: str, start: float, leeway: float, now: float) -> Refusal:
    """Either the issuer's clock is ahead, or ours is behind: nothing else makes an `iat` of tomorrow."""
    ahead = _whole(start - now)
    facts = {"claim": claim, "ahead": ahead, "leeway": leeway, claim: _whole(start), "now": _whole(now)}
    detail = f"{claim} is {ahead} s ahead of our clock; {leeway:g} s of clock skew are accepted"
    return Refusal(Reason.NOT_YET_VALID, detail, facts=facts)


def _whole(seconds: float) -> int:
    """Numbers of a claim end in logs and headers: 1e308 would be 309 digits there."""
    return round(min(max(seconds, -_LONGEST), _LONGEST))


def _shown(value: object) -> str | None:
    return value[:_LONGEST_SHOWN] if isinstance(value, str) else None


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and {*map(type, value)} <= {str}
