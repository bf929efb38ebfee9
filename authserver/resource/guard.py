"""The guard without a framework: from a request's headers to a Principal or a Refusal.

In order: the token (`credentials`); the issuer's keys and list, if they are not here yet (`trust`); everything a token
must be (`verifier`); what the route asks for (`requirement`); whether the revocation list is young enough for that
(`freshness`), and if not, perhaps a question to the issuer (`introspection`).

Sync and async callers share one generator (`decision`): it yields the rare step that must wait for the network, and
whoever drives it decides where that step runs.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import time
from typing import TYPE_CHECKING, Any, Final

from authserver.protocol import cookies
from authserver.protocol.dpop import ALGORITHMS
from authserver.resource.answer import Answer, answer_to
from authserver.resource.credentials import Credentials, PlainRequest, RequestView, asks_by_proof
from authserver.resource.decision import at_once, step_by_step
from authserver.resource.fetch_threads import FetchThreads
from authserver.resource.freshness import Freshness
from authserver.resource.health import Health, Observer, Tally
from authserver.resource.http import Fetch, Fetched
from authserver.resource.metadata import ResourceMetadata
from authserver.resource.options import (
    heartbeat_for,
    require_freshness,
    require_heartbeat,
    require_issuer,
    require_leeway,
    require_origins,
    require_service,
    require_time_to_hear,
)
from authserver.resource.possession import Possession, origins_of
from authserver.resource.principal import Principal
from authserver.resource.refusal import Refusal
from authserver.resource.requirement import ANY_TOKEN, Requirement
from authserver.resource.since_boot import since_boot
from authserver.resource.trust import Trust
from authserver.resource.verifier import LEEWAY, Verifier

if TYPE_CHECKING:
    from authserver.resource.dpop import Proof
    from authserver.resource.explanation import Explanation
    from authserver.resource.introspection import Introspection
    from authserver.resource.testing import LocalIssuer

__all__ = ["ANY_TOKEN", "Guard", "PlainRequest", "RequestView", "Requirement"]

TOKEN_COOKIES: Final = (cookies.TOKEN_HOST_ONLY, cookies.TOKEN_WITH_DOMAIN)

_ACTIVE: Final = b'{"active":true}'
_log: Final = logging.getLogger("authserver.resource")


class Guard:
    """Protects a resource service: `authenticate` (blocking, rarely) and `authenticate_async` (never).

    `follow_revocations=False` is for issuers that publish no revocation feed: logout then waits for expiry.
    `metadata={…}` publishes RFC 9728 metadata; `explain=True` tells the holder of a refused token exactly why.
    `served_at=["https://api.example.com"]`: where clients reach the service, by which proofs of possession (DPoP) are
    judged; without it, the origins of those audiences that are addresses.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str | Collection[str],
        service: str | None = None,
        leeway: float = LEEWAY,
        freshness: Freshness | None = None,
        introspection: "Introspection | None" = None,
        heartbeat: float | None = None,
        allowed_origins: Collection[str] = (),
        served_at: Collection[str] = (),
        token_cookies: Sequence[str] = TOKEN_COOKIES,
        follow_revocations: bool = True,
        explain: bool = False,
        metadata: Mapping[str, Any] | None = None,
        observer: Observer | None = None,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time,
        monotonic_clock: Callable[[], float] = since_boot,
    ) -> None:
        self.issuer = require_issuer(issuer, follow=follow_revocations)
        self.audiences = (audience,) if isinstance(audience, str) else tuple(audience)
        verifier = Verifier(issuer, self.audiences, leeway=require_leeway(leeway))
        self.realm = require_service(service) or self.audiences[0]
        self.resource_metadata = (
            None if metadata is None else ResourceMetadata(self.audiences[0], issuer, metadata)
        )
        places = require_origins(served_at, "served_at") or origins_of(self.audiences)
        self._credentials = Credentials(
            tuple(token_cookies), require_origins(allowed_origins), Possession(places, clock)
        )
        self._explain = explain
        self._observer = observer
        self._tally = Tally()
        self._threads = FetchThreads()
        freshness = require_freshness(freshness) or Freshness()
        self._heartbeat = require_heartbeat(heartbeat) or heartbeat_for(freshness.max_staleness)
        self._trust = Trust.of(
            verifier,
            freshness,
            introspection,
            issuer=issuer,
            service=service,
            heartbeat=self._heartbeat,
            follow=follow_revocations,
            fetch=fetch,
            clock=clock,
            monotonic_clock=monotonic_clock,
        )
        self.requirement(freshness=freshness)

    @property
    def revocation_age(self) -> float | None:
        """Seconds since the revocation list was last current; for a health page. None: never, or not followed."""
        return self._trust.feed.age if self._trust.feed else None

    def health(self) -> Health:
        """How this guard is doing, at this moment. Costs no network."""
        trust = self._trust
        feed, keys = trust.feed, trust.jwks.keys
        return Health(
            feed_age=self.revocation_age,
            sequence=None if feed is None or feed.age is None else feed.sequence,
            by=None if feed is None or feed.age is None else str(feed.by),
            keys_age=trust.jwks_fetch.age,
            kids=() if keys is None else tuple(sorted(keys.kids)),
            refusals=self._tally.counts,
        )

    def metadata(self) -> Mapping[str, Any]:
        """The document of RFC 9728, for whoever serves it; `resource_metadata` says where."""
        if self.resource_metadata is None:
            raise ValueError("this guard has no metadata: Guard(…, metadata={}) gives it some")
        return self.resource_metadata.document

    def requirement(
        self,
        *scopes: str,
        role: str | Collection[str] | None = None,
        freshness: Freshness | None = None,
    ) -> Requirement:
        """What a route asks for. ValueError for a freshness that this guard could not keep on a good day."""
        asked = Requirement.of(scopes, role, require_freshness(freshness))
        beyond = "accept" if freshness is None else freshness.beyond
        if beyond == "introspect" and self._trust.introspection is None:
            raise ValueError('beyond="introspect" needs a guard with introspection=Introspection(…)')
        if beyond == "refuse" and self._trust.feed is None:
            raise ValueError('beyond="refuse" needs a guard that follows the revocation list')
        if freshness and beyond == "refuse":
            require_time_to_hear(freshness.max_staleness, self._heartbeat)
        return asked

    def authenticate(self, request: RequestView, requirement: Requirement = ANY_TOKEN) -> Principal | Refusal:
        """Decide, waiting in this thread when the issuer's documents are not here yet."""
        return self.note(self.decide(request, requirement), request)

    async def authenticate_async(
        self, request: RequestView, requirement: Requirement = ANY_TOKEN
    ) -> Principal | Refusal:
        """The same decision; what would wait for the network waits in a thread."""
        return self.note(await self.decide_async(request, requirement), request)

    def decide(self, request: RequestView, requirement: Requirement = ANY_TOKEN) -> Principal | Refusal:
        """`authenticate` without being counted: for places that only want to know who it is, and refuse nobody."""
        shown, trust = self._credentials.find(request), self._trust
        if isinstance(shown, Refusal):
            return shown
        token, proof = shown
        key = None if proof is None else proof.thumbprint
        outcome = at_once(trust, token, key, requirement)
        if outcome is None:
            steps = step_by_step(trust, token, key, requirement)
            try:
                while True:
                    next(steps)()
            except StopIteration as decided:
                outcome = _outcome_of(decided)
        return outcome if proof is None else self._once(proof, outcome, request)

    async def decide_async(
        self, request: RequestView, requirement: Requirement = ANY_TOKEN
    ) -> Principal | Refusal:
        """The same for async callers."""
        shown, trust = self._credentials.find(request), self._trust
        if isinstance(shown, Refusal):
            return shown
        token, proof = shown
        key = None if proof is None else proof.thumbprint
        outcome = at_once(trust, token, key, requirement)
        if outcome is None:
            steps = step_by_step(trust, token, key, requirement)
            try:
                while True:
                    await self._threads.run(next(steps))
            except StopIteration as decided:
                outcome = _outcome_of(decided)
        return outcome if proof is None else self._once(proof, outcome, request)

    def _once(
        self, proof: "Proof", outcome: Principal | Refusal, request: RequestView
    ) -> Principal | Refusal:
        """Last, so that nobody fills the memory who has no token."""
        return outcome if isinstance(outcome, Refusal) else self._credentials.once(proof, request) or outcome

    def note(self, outcome: Principal | Refusal, request: RequestView) -> Principal | Refusal:
        """Count a decision; `authenticate` has done so, an adapter does it for those that it makes by itself.

        Counting decides nothing: an observer that breaks opens no door and closes none.
        """
        if isinstance(outcome, Refusal):
            self._tally.count(outcome.reason)
        if self._observer is not None:
            try:
                self._observer.decided(outcome, request)
            except Exception:  # noqa: BLE001 - somebody else's code
                _log.exception("the guard's observer failed")
        return outcome

    def _explanation(self, refusal: Refusal) -> "Explanation | None":
        if not self._explain:
            return None
        from authserver.resource.explanation import explain  # noqa: PLC0415 - imported by who asked for it

        return explain(refusal, self._trust.jwks_fetch.age)

    def answer(self, refusal: Refusal, request: RequestView) -> Answer:
        """The response to a refused request, in its reader's language."""
        metadata = self.resource_metadata
        by_proof = asks_by_proof(request) or refusal.facts.get("kind") == "cnf"
        return answer_to(
            refusal,
            realm=self.realm,
            accept_language=",".join(request.header_values("accept-language")),
            explanation=self._explanation(refusal),
            resource_metadata="" if metadata is None else metadata.url,
            proof_algorithms=ALGORITHMS if by_proof else (),
        )

    def close(self) -> None:
        """Stop following the revocation feed."""
        if self._trust.feed:
            self._trust.feed.close()

    @contextmanager
    def testing(self) -> Iterator["LocalIssuer"]:
        """Inside the block this guard trusts a local issuer instead, which signs tokens for tests, without network."""
        from authserver.resource.introspection import Introspection  # noqa: PLC0415 - as below
        from authserver.resource.testing import LocalIssuer  # noqa: PLC0415 - private keys: for tests only

        real = self._trust
        issuer = LocalIssuer(self.issuer, audience=self.audiences[0], clock=real.clock)
        stand_in = Guard(self.issuer, audience=self.audiences, fetch=issuer.fetch, clock=real.clock)
        # The local issuer's list knows who signed out; its introspection adds nothing to that.
        introspection = Introspection(self.issuer, "test", "test", post=lambda *_: Fetched(200, _ACTIVE))
        self._trust = replace(stand_in._trust, verifier=real.verifier, introspection=introspection)
        try:
            yield issuer
        finally:
            stand_in.close()
            self._trust = real


def _outcome_of(end: StopIteration) -> Principal | Refusal:
    outcome: Principal | Refusal = end.value
    return outcome
