"""A flood of forged key ids, and an issuer that answers nonsense: nothing is fetched too often, nothing is forgotten."""

import json
import logging
import tracemalloc

import pytest

from authserver.resource import Guard, Principal, Refusal
from authserver.resource.guard import PlainRequest
from authserver.resource.http import Fetched, FetchFailed
from authserver.resource.refusal import Reason
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network

JWKS = "/.well-known/jwks.json"
FLOOD = 100_000
MEASURED = 2_000


@pytest.fixture
def guard(network: Network, clock: FakeClock) -> Guard:
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock)
    guard.close()
    return guard


def bearer(token: str) -> PlainRequest:
    return PlainRequest("GET", {"authorization": f"Bearer {token}"})


def forged(number: int) -> PlainRequest:
    """Nobody signs it: an attacker has no key, and none is needed to ask for one."""
    head = json.dumps(forge.header(kid=f"k{number}")).encode()
    return bearer(f"{forge.b64(head)}.{forge.b64(b'{}')}.AAAA")


def refusal_of(guard: Guard, request: PlainRequest) -> Reason | None:
    outcome = guard.authenticate(request)
    return outcome.reason if isinstance(outcome, Refusal) else None


def test_a_flood_of_unknown_keys_is_one_fetch_per_cooldown_in_bounded_memory(
    guard: Guard, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    good = bearer(issuer.token(lifetime=7_200))
    assert isinstance(guard.authenticate(good), Principal)
    for number in range(FLOOD - MEASURED):
        assert refusal_of(guard, forged(number)) is Reason.UNKNOWN_KEY
        if number % 1_000 == 0:
            clock.advance(1)
    last = [forged(FLOOD + number) for number in range(MEASURED)]
    tracemalloc.start()
    for request in last:
        assert refusal_of(guard, request) is Reason.UNKNOWN_KEY
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert network.count(JWKS) <= 1 + 1 + 100 / 5  # at the start, for the first, and each five seconds
    assert kept < 300_000  # 256 headers; each of these requests would keep a kilobyte, if any were kept
    assert isinstance(guard.authenticate(good), Principal)
    assert guard.health().refusals[Reason.UNKNOWN_KEY] == FLOOD


NONSENSE: list[Fetched | Exception] = [
    Fetched(200, b"<html>We will be back soon</html>"),
    Fetched(200, b""),
    Fetched(200, b'{"keys":[]}'),
    Fetched(200, b'{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"x","alg":"HS256"}]}'),
    Fetched(200, b'{"keys":' + b"[" * 100_000),
    Fetched(500, b""),
    Fetched(403, b"{}"),
    FetchFailed("the answer is too large"),
    FetchFailed("the answer is too slow"),
    OSError("no route"),
]


@pytest.mark.parametrize("answer", NONSENSE)
def test_keys_that_were_good_stay_through_nonsense_and_one_line_says_so(
    guard: Guard,
    network: Network,
    clock: FakeClock,
    issuer: LocalIssuer,
    answer: Fetched | Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = bearer(issuer.token(lifetime=7_200))
    assert isinstance(guard.authenticate(good), Principal)
    network.broken[JWKS] = answer
    for _ in range(20):
        clock.advance(301)  # beyond max-age
        assert isinstance(guard.authenticate(good), Principal)
    assert network.count(JWKS) > 10
    assert [record.levelno for record in caplog.records].count(logging.WARNING) == 1
    network.broken.clear()
    clock.advance(10)
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)


def test_another_issuers_keys_are_taken_over_from_nobody_but_the_issuers_own_address(
    guard: Guard, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    """What its address publishes is the issuer's word; a feed signed by others is refused, and ages."""
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)
    stranger = LocalIssuer("https://evil.example", audience=forge.API, key=forge.KEY, clock=clock)
    stranger.revoke("sub", "alice", before=forge.NOW + 10)
    network.broken["/revocations"] = Fetched(200, stranger.revocations().encode())
    clock.advance(2)
    assert guard._trust.feed is not None
    guard._trust.feed.poll_once()
    assert isinstance(guard.authenticate(bearer(issuer.token("alice"))), Principal)
    assert guard.health().feed_age == 2


def test_a_feed_signed_with_another_issuers_key_changes_nothing(
    guard: Guard, network: Network, clock: FakeClock, issuer: LocalIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)
    stranger = LocalIssuer(forge.ISSUER, audience=forge.API, key=forge.OTHER_KEY, clock=clock)
    stranger.revoke("sub", "alice", before=forge.NOW + 10)
    network.broken["/revocations"] = Fetched(200, stranger.revocations().encode())
    assert guard._trust.feed is not None
    for _ in range(5):
        clock.advance(2)
        guard._trust.feed.poll_once()
        assert isinstance(guard.authenticate(bearer(issuer.token("alice"))), Principal)
    assert guard.health().feed_age == 10
    assert [record.levelno for record in caplog.records].count(logging.WARNING) == 1
