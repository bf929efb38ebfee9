"""What every adapter answers, as one table: a request, and each cell of the response."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from authserver.resource import Introspection
from authserver.resource.http import Fetched, FetchFailed
from tests.resource import forge
from tests.resource.conftest import Network

Headers = list[tuple[str, str]]

HOST = "api.example.com"
ORIGIN = f"https://{HOST}"
COOKIE = "__Host-access_token"

CHALLENGE = f'Bearer realm="{forge.API}"'
INVALID = f'{CHALLENGE}, error="invalid_token", error_description="The token is not valid"'
NOT_VALID = ("The token is not valid", "유효하지 않은 토큰입니다")
OTHER_SITE = ("The request came from another site", "다른 사이트에서 보낸 요청은 받지 않습니다")
NOT_ALLOWED = ("The token does not allow this", "이 작업을 할 권한이 없습니다")
LATER = (
    "The token cannot be checked right now; try again shortly",
    "지금은 토큰을 확인할 수 없습니다. 잠시 후 다시 시도해 주세요",
)


@dataclass(frozen=True)
class Expected:
    """Every cell of a refusal. `messages` and the texts of `explanation` in English and Korean."""

    status: int
    error: str
    messages: tuple[str, str]
    challenge: str | None = None
    retry_after: str | None = None
    explanation: "Why | None" = None


@dataclass(frozen=True)
class Why:
    """The member `explanation` of a body, and the challenge's description."""

    code: str
    facts: Mapping[str, Any]
    texts: tuple[str, str]


@dataclass(frozen=True)
class Case:
    """`expected` None: admitted, with the principal at hand; a document: that, for everybody.

    `later`: so many seconds after a first request, for which the list was fetched. `settings` of the guard.
    """

    name: str
    headers: Callable[[Network], Headers]
    expected: Expected | Mapping[str, Any] | None = None
    path: str = "/any"
    method: str = "GET"
    later: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)


def bearer(network: Network, **claims: object) -> Headers:
    return list(network.issuer.bearer("alice", **claims).items())  # type: ignore[arg-type]


def cookie(network: Network, **claims: object) -> Headers:
    return [("Cookie", f"theme=dark; {COOKIE}={network.issuer.token('alice', **claims)}; last=1")]  # type: ignore[arg-type]


def revoked(network: Network) -> Headers:
    network.issuer.revoke("sid", "phone")
    return bearer(network, sid="phone")


def without_feed(network: Network) -> Headers:
    network.broken["/revocations"] = FetchFailed("down")
    return bearer(network)


def without_issuer(network: Network) -> Headers:
    network.broken[""] = FetchFailed("down")
    return bearer(network)


def of_unknown_key(network: Network) -> Headers:
    token = forge.sign(forge.header(kid="elsewhere"), forge.claims(), forge.OTHER_KEY)
    return [("Authorization", f"Bearer {token}")]


def asking(answer: Fetched | Exception) -> Mapping[str, Any]:
    """A guard that may ask the issuer, and what it hears."""

    def post(url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return {"introspection": Introspection(f"{forge.ISSUER}/introspect", "api", "secret", post=post)}


def explained(status: int, error: str, messages: tuple[str, str], why: Why) -> Expected:
    challenge = f'{CHALLENGE}, error="{error}", error_description="{why.texts[0]}"'
    return Expected(status, error, messages, challenge, explanation=why)


def id_token(network: Network) -> Headers:
    return [("Authorization", f"Bearer {network.issuer.sign(forge.claims(), typ='JWT')}")]


MISSING = Expected(401, "missing", ("No token was sent", "토큰이 없습니다"), CHALLENGE)
MALFORMED = Expected(401, "invalid_token", NOT_VALID, INVALID)
EXPIRED = Expected(
    401,
    "invalid_token",
    ("The token has expired", "토큰이 만료되었습니다"),
    f'{CHALLENGE}, error="invalid_token", error_description="The token has expired"',
)
NOT_YET = Expected(
    401,
    "invalid_token",
    ("The token is not valid yet", "아직 사용할 수 없는 토큰입니다"),
    f'{CHALLENGE}, error="invalid_token", error_description="The token is not valid yet"',
)
SIGNED_OUT = Expected(
    401,
    "invalid_token",
    ("The token was signed out", "로그아웃된 토큰입니다"),
    f'{CHALLENGE}, error="invalid_token", error_description="The token was signed out"',
)
NEEDS_ROLE = Expected(
    403,
    "insufficient_scope",
    NOT_ALLOWED,
    f'{CHALLENGE}, error="insufficient_scope", error_description="The token does not allow this"',
)
NEEDS_SCOPE = Expected(
    403, "insufficient_scope", NOT_ALLOWED, f'{NEEDS_ROLE.challenge}, scope="orders:write"'
)
FORGED = Expected(403, "forged_request", OTHER_SITE)
UNAVAILABLE = Expected(503, "unavailable", LATER, retry_after="5")
STALE = Expected(503, "stale", LATER, retry_after="5")

WELL_KNOWN = "/.well-known/oauth-protected-resource"
METADATA = {"resource_name": "Orders 주문", "scopes_supported": ["orders:read", "orders:write"]}
DESCRIBED: dict[str, Any] = {"metadata": METADATA}
EXPLAINING: dict[str, Any] = {"explain": True}
DOCUMENT = {
    "resource": forge.API,
    "authorization_servers": [forge.ISSUER],
    "bearer_methods_supported": ["header"],
    **METADATA,
}
WHY_EXPIRED = Why(
    "expired",
    {"ago": 75, "leeway": 60, "exp": forge.NOW - 75, "now": forge.NOW},
    (
        "The token expired 75 s ago by this service's clock; 60 s of clock skew are accepted",
        "이 서비스의 시계로 75초 전에 만료되었습니다. 시계 차이는 60초까지 허용합니다",
    ),
)
WHY_NOT_YET = Why(
    "not_yet_valid",
    {"claim": "iat", "ahead": 75, "leeway": 60, "iat": forge.NOW + 75, "now": forge.NOW},
    (
        "The token's iat is 75 s ahead of this service's clock; 60 s of clock skew are accepted",
        "토큰의 iat이(가) 이 서비스의 시계보다 75초 빠릅니다. 시계 차이는 60초까지 허용합니다",
    ),
)
WHY_AUDIENCE = Why(
    "wrong_audience",
    {"aud": ["https://other.example.com"], "expected": [forge.API]},
    (
        f"The token is for https://other.example.com; this service is {forge.API}",
        f"이 토큰은 https://other.example.com용인데, 이 서비스는 {forge.API}입니다",
    ),
)
WHY_ISSUER = Why(
    "wrong_issuer",
    {"iss": "https://evil.example", "expected": forge.ISSUER},
    (
        f"The token was issued by https://evil.example; only {forge.ISSUER} is trusted here",
        f"이 토큰의 발급자는 https://evil.example이지만, 여기서는 {forge.ISSUER}만 신뢰합니다",
    ),
)
WHY_UNKNOWN_KEY = Why(
    "unknown_key",
    {"kid": "elsewhere", "known": 1, "keys_age": 0},
    (
        "The key elsewhere is none of the 1 keys that the issuer published 0 s ago",
        "키 elsewhere은(는) 발급자가 0초 전에 공개한 키 1개 중에 없습니다",
    ),
)
WHY_SIGNED_OUT = Why(
    "signed_out:sid",
    {"before": None, "sequence": 1},
    ("The session of the token was signed out", "이 토큰의 세션에서 로그아웃했습니다"),
)
WHY_SCOPE = Why(
    "insufficient_scope:scope",
    {"missing": ["orders:write"]},
    ("The token was not granted the scope orders:write", "토큰에 orders:write 스코프가 없습니다"),
)
WHY_STALE = Why(
    "stale:list",
    {"age": 6, "max_staleness": 5},
    (
        "The revocation list is 6 s old; 5 s are accepted here",
        "폐기 목록이 6초 전 것입니다. 여기서는 5초까지 허용합니다",
    ),
)

TABLE = (
    # no token
    Case("nothing at all", lambda _: [], MISSING),
    Case("nothing at all, for a scope", lambda _: [], MISSING, "/scope", "POST"),
    Case("nothing at all, for a role", lambda _: [], MISSING, "/role"),
    Case("the Basic scheme", lambda _: [("Authorization", "Basic YWxpY2U6aHVudGVyMg==")], MISSING),
    Case("an empty cookie", lambda _: [("Cookie", f"{COOKIE}=")], MISSING),
    Case("a cookie sent twice", lambda n: [("Cookie", f"{COOKIE}=a; {cookie(n)[0][1]}")], MISSING),
    # the header
    Case("a token in the header", bearer),
    Case("a token in the header, to write", bearer, method="POST"),
    Case("a scheme in other case", lambda n: [("Authorization", f"bearer {n.issuer.token('alice')}")]),
    Case("no token after Bearer", lambda _: [("Authorization", "Bearer")], MALFORMED),
    Case("no JWT after Bearer", lambda _: [("Authorization", "Bearer none.of.this")], MALFORMED),
    Case("two Authorization headers", lambda n: bearer(n) + bearer(n), MALFORMED),
    Case("an expired token", lambda n: bearer(n, lifetime=-3_600), EXPIRED),
    Case("a token for later", lambda n: bearer(n, iat=forge.NOW + 3_600), NOT_YET),
    Case("a token for another service", lambda n: bearer(n, aud="https://other.example.com"), MALFORMED),
    Case("a token of another issuer", lambda n: bearer(n, iss="https://evil.example"), MALFORMED),
    Case("an ID token", id_token, MALFORMED),
    Case("a token of a session that signed out", revoked, SIGNED_OUT),
    # the cookie
    Case("the token cookie, to read", cookie),
    Case(
        "the token cookie, to write, from here",
        lambda n: [*cookie(n), ("Origin", ORIGIN)],
        None,
        method="POST",
    ),
    Case(
        "the token cookie, to write, from an allowed origin",
        lambda n: [*cookie(n), ("Origin", "https://app.example.com")],
        method="POST",
    ),
    Case(
        "the token cookie, to write, with fetch metadata alone",
        lambda n: [*cookie(n), ("Sec-Fetch-Site", "same-origin")],
        method="POST",
    ),
    Case("the token cookie, to write, without evidence", cookie, FORGED, method="POST"),
    Case(
        "the token cookie, to write, from another site",
        lambda n: [*cookie(n), ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
        FORGED,
        method="POST",
    ),
    Case(
        "the token cookie, to write, from a sibling",
        lambda n: [*cookie(n), ("Sec-Fetch-Site", "same-site")],
        FORGED,
        method="POST",
    ),
    Case("an expired cookie", lambda n: cookie(n, lifetime=-3_600), EXPIRED),
    Case("header and cookie: the header counts", lambda n: [*cookie(n, lifetime=-3_600), *bearer(n)]),
    Case(
        "header and cookie: a bad header counts",
        lambda n: [*cookie(n), ("Authorization", "Bearer x")],
        MALFORMED,
    ),
    Case("header and cookie, to write", lambda n: [*cookie(n), *bearer(n)], method="POST"),
    Case("Basic and cookie", lambda n: [*cookie(n), ("Authorization", "Basic YWxpY2U6aHVudGVyMg==")]),
    # what it may
    Case("the scope", lambda n: bearer(n, scope="openid orders:write"), None, "/scope", "POST"),
    Case("another scope", lambda n: bearer(n, scope="orders:read"), NEEDS_SCOPE, "/scope", "POST"),
    Case("another scope in the cookie", lambda n: cookie(n, scope="orders:read"), NEEDS_SCOPE, "/scope"),
    Case("no scope at all", bearer, NEEDS_SCOPE, "/scope"),
    Case("the role", lambda n: bearer(n, roles=["member", "admin"]), None, "/role"),
    Case("another role", lambda n: bearer(n, roles=["member"]), NEEDS_ROLE, "/role"),
    Case("no role at all", bearer, NEEDS_ROLE, "/role", "POST"),
    # the issuer
    Case("no revocation list yet", without_feed, UNAVAILABLE),
    Case("no keys yet", without_issuer, UNAVAILABLE),
    Case("no keys yet, and no token", lambda n: without_issuer(n)[:0], MISSING),
    # how old the revocation list may be, route by route
    Case("a list that is young enough for the route", bearer, None, "/fresh", later=5),
    Case("a list that is too old for the route", bearer, STALE, "/fresh", later=6),
    Case("a list that is too old for another route", bearer, None, later=6),
    Case("a list too old, and a bad token", lambda n: bearer(n, lifetime=-3_600), EXPIRED, "/fresh", later=6),
    Case(
        "a list too old: the issuer says yes",
        bearer,
        None,
        "/asked",
        later=6,
        settings=asking(Fetched(200, b'{"active":true}')),
    ),
    Case(
        "a list too old: the issuer says no",
        bearer,
        SIGNED_OUT,
        "/asked",
        later=6,
        settings=asking(Fetched(200, b'{"active":false}')),
    ),
    Case(
        "a list too old: the issuer says nothing",
        bearer,
        STALE,
        "/asked",
        later=6,
        settings=asking(FetchFailed("down")),
    ),
    Case(
        "a list that is young: the issuer is not asked",
        bearer,
        None,
        "/asked",
        later=5,
        settings=asking(FetchFailed("down")),
    ),
    # why exactly
    Case(
        "an expired token, explained",
        lambda n: bearer(n, lifetime=-75),
        explained(401, "invalid_token", EXPIRED.messages, WHY_EXPIRED),
        settings=EXPLAINING,
    ),
    Case(
        "a token by a clock that is ahead, explained",
        lambda n: bearer(n, iat=forge.NOW + 75),
        explained(401, "invalid_token", NOT_YET.messages, WHY_NOT_YET),
        settings=EXPLAINING,
    ),
    Case(
        "a token for another service, explained",
        lambda n: bearer(n, aud="https://other.example.com"),
        explained(401, "invalid_token", NOT_VALID, WHY_AUDIENCE),
        settings=EXPLAINING,
    ),
    Case(
        "a token of another issuer, explained",
        lambda n: bearer(n, iss="https://evil.example"),
        explained(401, "invalid_token", NOT_VALID, WHY_ISSUER),
        settings=EXPLAINING,
    ),
    Case(
        "a token by an unknown key, explained",
        of_unknown_key,
        explained(401, "invalid_token", NOT_VALID, WHY_UNKNOWN_KEY),
        settings=EXPLAINING,
    ),
    Case(
        "a token of a session that signed out, explained",
        revoked,
        explained(401, "invalid_token", SIGNED_OUT.messages, WHY_SIGNED_OUT),
        settings=EXPLAINING,
    ),
    Case(
        "another scope, explained",
        lambda n: bearer(n, scope="orders:read"),
        Expected(
            403,
            "insufficient_scope",
            NOT_ALLOWED,
            f'{CHALLENGE}, error="insufficient_scope", error_description="{WHY_SCOPE.texts[0]}", '
            'scope="orders:write"',
            explanation=WHY_SCOPE,
        ),
        "/scope",
        settings=EXPLAINING,
    ),
    Case(
        "a list that is too old for the route, explained",
        bearer,
        Expected(503, "stale", LATER, retry_after="5", explanation=WHY_STALE),
        "/fresh",
        later=6,
        settings=EXPLAINING,
    ),
    # what the service says about itself
    Case("the metadata, without a token", lambda _: [], DOCUMENT, WELL_KNOWN, settings=DESCRIBED),
    Case(
        "the metadata, with a bad token",
        lambda _: [("Authorization", "Bearer x")],
        DOCUMENT,
        WELL_KNOWN,
        settings=DESCRIBED,
    ),
    Case(
        "no token, and where to read about that",
        lambda _: [],
        Expected(
            401, "missing", MISSING.messages, f'{CHALLENGE}, resource_metadata="{forge.API}{WELL_KNOWN}"'
        ),
        settings=DESCRIBED,
    ),
)
