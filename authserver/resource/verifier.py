"""May this access token be used here, now? Pure: no clock, no network, no state but a cache of its own answers.

RFC 9068 §4, RFC 8725. In order: the strict door; the key by `kid` and its one algorithm; the signature; `typ` (an ID
token, a logout token or a client assertion is no access token, whoever signed it); `iss` and `aud` to the letter;
times with leeway; the claims RFC 9068 §2.2 requires; `cnf` (RFC 7800: stolen without its key it must be worth
nothing, so it is no bearer token); the revocation list.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from authserver.protocol.media import ACCESS_TOKEN_TYP
from authserver.resource.jws import (
    MalformedToken,
    VerifiedClaims,
    parse_compact,
    verified_claims,
    verify_signature,
)
from authserver.resource.keys import PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.revocation_set import RevocationSet

LEEWAY: Final = 60
_NUMBERS: Final = frozenset(
    (int, float)
)  # by type: True is an int to isinstance; the door lets no infinity in
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
) -> Principal | Refusal:
    """The holder of `token`, or why it is refused. `now` and `leeway` in seconds."""
    expected = _Expected.of(issuer, audience, leeway)
    outcome = _verify(token, keys, expected, now)
    return outcome if isinstance(outcome, Refusal) else _unless_revoked(outcome, revocations)


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
        self, token: str, *, keys: PublicKeys, now: float, revocations: RevocationSet | None = None
    ) -> Principal | Refusal:
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
        return _unless_revoked(outcome, revocations)

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
            return Refusal(Reason.UNKNOWN_KEY)
        payload = verify_signature(jws, key)
        if payload is None:
            return Refusal(Reason.BAD_SIGNATURE)
        typ = jws.unverified_header.get("typ", "")
        if typ not in _TYPS and typ.lower() not in _TYPS:
            return Refusal(Reason.WRONG_TYPE, "typ is not at+jwt")
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
        return Refusal(Reason.WRONG_ISSUER)
    audience = claims.get("aud")
    if isinstance(audience, str):
        return None if audience in expected.audiences else Refusal(Reason.WRONG_AUDIENCE)
    if not isinstance(audience, list) or not _are_texts(audience):
        return Refusal(Reason.MALFORMED, "aud is neither a string nor strings")
    return Refusal(Reason.WRONG_AUDIENCE) if expected.audiences.isdisjoint(audience) else None


def _check_times(claims: VerifiedClaims, leeway: float, now: float) -> Refusal | None:
    exp: Any = claims.get("exp")
    iat: Any = claims.get("iat")
    nbf: Any = claims.get("nbf", 0)
    if type(exp) not in _NUMBERS or type(iat) not in _NUMBERS or type(nbf) not in _NUMBERS:
        return Refusal(Reason.MALFORMED, "exp, iat and nbf must be numbers")
    if now >= exp + leeway:  # RFC 7519 §4.1.4: on or after
        return Refusal(Reason.EXPIRED)
    if now + leeway < iat or now + leeway < nbf:
        return Refusal(Reason.NOT_YET_VALID)
    return None


def _check_shapes(claims: VerifiedClaims) -> Refusal | None:
    """RFC 9068 §2.2; iss, aud, exp and iat are behind us. What is absent and optional counts as well-formed."""
    get = claims.get
    sub, client_id, jti, sid = get("sub"), get("client_id"), get("jti"), get("sid", "-")
    if not (sub and client_id and jti and sid):
        return Refusal(Reason.MALFORMED, "no sub, client_id or jti")
    if not type(sub) is type(client_id) is type(jti) is type(sid) is type(get("scope", "")) is str:
        return Refusal(Reason.MALFORMED, "sub, client_id, jti, sid or scope is not a string")
    if "cnf" in claims:
        return Refusal(Reason.WRONG_TYPE, "a sender-constrained token sent as a bearer token")
    if "roles" in claims and not _are_texts(claims["roles"]):
        return Refusal(Reason.MALFORMED, "roles")
    return None if type(get("auth_time", 0)) in _NUMBERS else Refusal(Reason.MALFORMED, "auth_time")


def _unless_revoked(principal: Principal, revocations: RevocationSet | None) -> Principal | Refusal:
    if revocations is None:
        return principal
    entry = revocations.hit(principal._claims, principal.kid)  # noqa: SLF001 - `claims` copies
    return principal if entry is None else Refusal(Reason.SIGNED_OUT, f"its {entry.kind} is revoked")


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and {*map(type, value)} <= {str}
