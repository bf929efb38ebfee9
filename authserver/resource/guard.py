"""The guard without a framework: from a request's headers to a Principal or a Refusal.

The token comes from `Authorization: Bearer` (RFC 6750 §2.1) or, for same-site apps, from the token cookie. With both,
the header wins: it was put there by code, the cookie by habit. A cookie on an unsafe request is believed only when no
other site can have made the browser send it (`csrf`).

Sync and async callers share one generator: it yields the rare step that must wait for the network, and whoever drives
it decides where that step runs.
"""

from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic, time
from typing import TYPE_CHECKING, Final, Protocol

from authserver.protocol import cookies, paths
from authserver.resource.answer import Answer, answer_to
from authserver.resource.cookies import read_cookie
from authserver.resource.csrf import cross_site
from authserver.resource.freshness import Freshness
from authserver.resource.http import Fetch, HttpFetch, require_secure
from authserver.resource.jwks_source import JwksSource
from authserver.resource.jws import parse_compact
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.revocation_source import MAX_FEED, RevocationSource
from authserver.resource.verifier import LEEWAY, Verifier

if TYPE_CHECKING:
    from authserver.resource.testing import LocalIssuer

TOKEN_COOKIES: Final = (cookies.TOKEN_HOST_ONLY, cookies.TOKEN_WITH_DOMAIN)
_CSRF_HEADERS: Final = ("origin", "host", "sec-fetch-site")

Steps = Generator[Callable[[], None], None, Principal | Refusal]


class RequestView(Protocol):
    """What a guard needs to see of a request."""

    @property
    def method(self) -> str: ...

    def header_values(self, name: str) -> Sequence[str]:
        """Every value of the header `name` (lower case), in order."""
        ...


@dataclass(frozen=True, slots=True)
class PlainRequest:
    """A RequestView for callers without a framework. Header names in lower case."""

    method: str
    headers: Mapping[str, str]

    def header_values(self, name: str) -> Sequence[str]:
        return (self.headers[name],) if name in self.headers else ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a principal must have been granted: all of `scopes`, and one of `roles` if any are named."""

    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @classmethod
    def of(cls, scopes: Collection[str] = (), role: str | Collection[str] | None = None) -> "Requirement":
        """What `require("orders:write", role="admin")` means. ValueError for what would admit everybody or nobody."""
        roles = (role,) if isinstance(role, str) else role
        if roles is not None and not roles:
            raise ValueError("role=() would admit everybody; leave role out if that is meant")
        names: tuple[object, ...] = (*scopes, *(roles or ()))  # `@guard.require` without () hands us the view
        for name in names:
            if not isinstance(name, str) or not name or name.split() != [name]:
                raise ValueError(f"one scope or role for each argument, not {name!r}")
        return cls(frozenset(scopes), frozenset(roles or ()))

    def judge(self, principal: Principal) -> Principal | Refusal:
        if not self.scopes <= principal.scope or (self.roles and self.roles.isdisjoint(principal.roles)):
            return Refusal(Reason.INSUFFICIENT_SCOPE, "scope or role", self.scopes)
        return principal


ANY_TOKEN: Final = Requirement()


@dataclass(frozen=True, slots=True)
class _Trust:
    """Everything that belongs to one issuer; replaced as a whole, so that no request sees half of two."""

    verifier: Verifier
    jwks: JwksSource
    feed: RevocationSource | None
    freshness: Freshness
    clock: Callable[[], float]


class Guard:
    """Protects a resource service: `authenticate` (blocking, rarely) and `authenticate_async` (never).

    `follow_revocations=False` is for issuers that publish no revocation feed: logout then waits for expiry.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str | Collection[str],
        service: str | None = None,
        leeway: float = LEEWAY,
        freshness: Freshness | None = None,
        allowed_origins: Collection[str] = (),
        token_cookies: Sequence[str] = TOKEN_COOKIES,
        follow_revocations: bool = True,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time,
        monotonic_clock: Callable[[], float] = monotonic,
    ) -> None:
        require_secure(issuer)
        self.issuer = issuer
        self.audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        verifier = Verifier(issuer, self.audiences, leeway=leeway)
        self.realm = service or self.audiences[0]
        self._token_cookies = tuple(token_cookies)
        self._allowed_origins = frozenset(allowed_origins)
        base = issuer.rstrip("/")
        jwks = JwksSource(base + paths.JWKS, fetch or HttpFetch(), clock=monotonic_clock)
        feed = RevocationSource(
            base + paths.REVOCATIONS,
            fetch or HttpFetch(max_bytes=MAX_FEED),
            jwks=jwks,
            issuer=issuer,
            clock=clock,
            monotonic_clock=monotonic_clock,
        )
        self._trust = _Trust(
            verifier, jwks, feed if follow_revocations else None, freshness or Freshness(), clock
        )

    @property
    def revocation_age(self) -> float | None:
        """Seconds since the revocation list was last current; for a health page. None: never, or not followed."""
        return self._trust.feed.age if self._trust.feed else None

    def authenticate(self, request: RequestView, requirement: Requirement = ANY_TOKEN) -> Principal | Refusal:
        """Decide, waiting in this thread when the issuer's documents are not here yet."""
        outcome = self._at_once(request)
        if outcome is None:
            steps = self._steps(request)
            try:
                while True:
                    next(steps)()
            except StopIteration as decided:
                outcome = decided.value
        return _judged(outcome, requirement)

    async def authenticate_async(
        self, request: RequestView, requirement: Requirement = ANY_TOKEN
    ) -> Principal | Refusal:
        """The same decision; what would wait for the network waits in a thread."""
        outcome = self._at_once(request)
        if outcome is None:
            steps = self._steps(request)
            try:
                while True:
                    await _in_thread(next(steps))
            except StopIteration as decided:
                outcome = decided.value
        return _judged(outcome, requirement)

    def answer(self, refusal: Refusal, request: RequestView) -> Answer:
        """The response to a refused request, in its reader's language."""
        languages = ",".join(request.header_values("accept-language"))
        return answer_to(refusal, realm=self.realm, accept_language=languages)

    def close(self) -> None:
        """Stop following the revocation feed."""
        if self._trust.feed:
            self._trust.feed.close()

    @contextmanager
    def testing(self) -> Iterator["LocalIssuer"]:
        """Inside the block this guard trusts a local issuer instead, which signs tokens for tests, without network."""
        from authserver.resource.testing import LocalIssuer  # noqa: PLC0415 - private keys: for tests only

        real = self._trust
        issuer = LocalIssuer(self.issuer, audience=self.audiences[0], clock=real.clock)
        stand_in = Guard(self.issuer, audience=self.audiences, fetch=issuer.fetch, clock=real.clock)
        self._trust = replace(stand_in._trust, verifier=real.verifier)
        try:
            yield issuer
        finally:
            stand_in.close()
            self._trust = real

    def _at_once(self, request: RequestView) -> Principal | Refusal | None:
        """The decision when nothing has to be fetched for it, which is nearly always; None: take the steps."""
        token = self._find_token(request)
        if isinstance(token, Refusal):
            return token
        if _fetch_due(self._trust) is not None:
            return None
        outcome = _verify(self._trust, token)
        return None if _is_unknown_key(outcome) else outcome

    def _steps(self, request: RequestView) -> Steps:
        """The same with its fetches: keys, then the first list, then keys once more for a key that nobody knew."""
        token = self._find_token(request)
        if isinstance(token, Refusal):
            return token
        trust = self._trust
        for _ in range(2):
            if (fetch := _fetch_due(trust)) is not None:
                yield fetch
        outcome = _verify(trust, token)
        if _is_unknown_key(outcome):
            kid = parse_compact(token).unverified_header["kid"]
            if trust.jwks.may_refetch_for(kid):
                yield partial(trust.jwks.refetch_for, kid)
                outcome = _verify(trust, token)
        return outcome

    def _find_token(self, request: RequestView) -> str | Refusal:
        headers = request.header_values("authorization")
        if len(headers) > 1:  # two readers may believe two different ones
            return Refusal(Reason.MALFORMED, "more than one Authorization header")
        scheme, _, token = headers[0].partition(" ") if headers else ("", "", "")
        if scheme.lower() == "bearer":
            return token or Refusal(Reason.MALFORMED, "Authorization: Bearer without a token")
        return self._find_in_cookies(request)

    def _find_in_cookies(self, request: RequestView) -> str | Refusal:
        headers = request.header_values("cookie")
        found = (
            read_cookie(headers, name) for name in self._token_cookies
        )  # `__Host-` first: it is harder to plant
        token = next((value for value in found if value is not None), None)
        if token is None:
            return Refusal(Reason.MISSING)
        seen = {name: ", ".join(values) for name in _CSRF_HEADERS if (values := request.header_values(name))}
        if cross_site(request.method, seen, self._allowed_origins):
            return Refusal(Reason.FORGED_REQUEST, "a cookie sent by another site's page")
        return token


def _fetch_due(trust: _Trust) -> Callable[[], None] | None:
    """What a decision has to wait for, if anything."""
    if trust.jwks.must_refresh():
        return trust.jwks.refresh
    if trust.feed is not None:
        trust.feed.ensure_running()
        if trust.feed.must_wait():
            return trust.feed.poll_once
    return None


def _is_unknown_key(outcome: Principal | Refusal) -> bool:
    return isinstance(outcome, Refusal) and outcome.reason is Reason.UNKNOWN_KEY


def _verify(trust: _Trust, token: str) -> Principal | Refusal:
    keys = trust.jwks.keys
    if keys is None:
        return Refusal(Reason.UNAVAILABLE, "no keys of the issuer")
    feed = trust.feed
    revocations = feed.revocations if feed is not None else None
    outcome = trust.verifier.verify(token, keys=keys, now=trust.clock(), revocations=revocations)
    if feed is not None and isinstance(outcome, Principal):
        return trust.freshness.judge(feed.age) or outcome
    return outcome


def _judged(outcome: Principal | Refusal, requirement: Requirement) -> Principal | Refusal:
    return outcome if isinstance(outcome, Refusal) else requirement.judge(outcome)


async def _in_thread(step: Callable[[], None]) -> None:
    from asyncio import to_thread  # noqa: PLC0415 - who calls this has loaded asyncio, others need not

    await to_thread(step)
