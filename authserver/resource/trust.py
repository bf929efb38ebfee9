"""All that a guard knows of one issuer: its keys, its revocation list, and the verifier bound to both."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authserver.protocol import paths
from authserver.resource.freshness import Freshness
from authserver.resource.http import NOT_MODIFIED, Fetch, Fetched, HttpFetch, HttpPost, connect
from authserver.resource.jwks_source import JwksSource
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.verifier import Verifier

if TYPE_CHECKING:
    from authserver.resource.introspection import Introspection
    from authserver.resource.revocation_source import RevocationSource

_ANSWERED = (200, NOT_MODIFIED)


class NotedFetch:
    """A `Fetch` that knows when it was last answered: "unknown key" means little without "as of when"."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._answered_at: float | None = None

    def __call__(self, url: str, etag: str | None) -> Fetched:
        asked_at = self._clock()
        answer = self._fetch(url, etag)
        if answer.status in _ANSWERED:
            self._answered_at = asked_at
        return answer

    @property
    def age(self) -> float | None:
        """Seconds since the last answer."""
        return None if self._answered_at is None else max(0.0, self._clock() - self._answered_at)


@dataclass(frozen=True, slots=True)
class Trust:
    """Everything that belongs to one issuer; replaced as a whole, so that no request sees half of two."""

    verifier: Verifier
    jwks: JwksSource
    jwks_fetch: NotedFetch
    feed: "RevocationSource | None"
    freshness: Freshness
    introspection: "Introspection | None"
    clock: Callable[[], float]

    @classmethod
    def of(
        cls,
        verifier: Verifier,
        freshness: Freshness,
        introspection: "Introspection | None",
        *,
        issuer: str,
        service: str | None,
        heartbeat: float,
        follow: bool,
        fetch: Fetch | None,
        clock: Callable[[], float],
        monotonic_clock: Callable[[], float],
    ) -> "Trust":
        """`fetch` None: by HTTP, and the list by a stream; else by `fetch` alone. Nothing is fetched here."""
        base = issuer.rstrip("/")
        jwks_fetch = NotedFetch(fetch or HttpFetch(), monotonic_clock)
        jwks = JwksSource(base + paths.JWKS, jwks_fetch, clock=monotonic_clock)
        if not follow:
            return cls(verifier, jwks, jwks_fetch, None, freshness, introspection, clock)
        from authserver.resource.revocation_source import (  # noqa: PLC0415 - a tenth of a guard's start, for who follows
            MAX_FEED,
            RevocationSource,
        )

        feed = RevocationSource(
            base + paths.REVOCATIONS,
            fetch or HttpFetch(max_bytes=MAX_FEED),
            jwks=jwks,
            issuer=issuer,
            connect=connect if fetch is None else None,
            heartbeat=heartbeat,
            service=service,
            post=HttpPost() if fetch is None else None,
            clock=clock,
            monotonic_clock=monotonic_clock,
        )
        return cls(verifier, jwks, jwks_fetch, feed, freshness, introspection, clock)

    def fetch_due(self) -> Callable[[], None] | None:
        """What a decision has to wait for, if anything."""
        if self.jwks.must_refresh():
            return self.jwks.refresh
        if self.feed is not None:
            self.feed.ensure_running()
            if self.feed.must_wait():
                return self.feed.load
        return None

    def verify(self, token: str, thumbprint: str | None = None) -> Principal | Refusal:
        """By the keys and the list as they are now; `thumbprint` of the key that came with the token."""
        keys = self.jwks.keys
        if keys is None:
            return Refusal(Reason.UNAVAILABLE, "no keys of the issuer", facts={"kind": "keys"})
        revocations = self.feed.revocations if self.feed is not None else None
        return self.verifier.verify(
            token, keys=keys, now=self.clock(), revocations=revocations, thumbprint=thumbprint
        )

    def too_old(self, freshness: Freshness) -> Refusal | None:
        """What `freshness` says about the list; without a list, only "accept" is content."""
        if self.feed is not None:
            return freshness.judge(self.feed.age)
        if freshness.beyond == "accept":
            return None
        return Refusal(Reason.STALE, "no revocation list is followed", facts={"kind": "not_followed"})
