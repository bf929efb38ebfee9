"""What every adapter answers, as one table: a request, and each cell of the response."""

from collections.abc import Callable
from dataclasses import dataclass

from authserver.resource.http import FetchFailed
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
    """Every cell of a refusal. `messages` in English and Korean."""

    status: int
    error: str
    messages: tuple[str, str]
    challenge: str | None = None
    retry_after: str | None = None


@dataclass(frozen=True)
class Case:
    """`expected` None: admitted, with the principal at hand."""

    name: str
    headers: Callable[[Network], Headers]
    expected: Expected | None = None
    path: str = "/any"
    method: str = "GET"


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
)
