"""What a guard tells about itself, and to whom."""

import os
import threading
from typing import Any

import pytest

from authserver.resource import Guard, Health, Principal, Refusal
from authserver.resource.guard import PlainRequest
from authserver.resource.health import Tally
from authserver.resource.http import FetchFailed
from authserver.resource.refusal import Reason
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network

NOTHING = PlainRequest("GET", {})


def guard_for(network: Network, clock: FakeClock, **settings: Any) -> Guard:
    guard = Guard(
        forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock, **settings
    )
    guard.close()
    return guard


def bearer(token: str) -> PlainRequest:
    return PlainRequest("GET", {"authorization": f"Bearer {token}"})


def test_before_the_first_request_nothing_is_known_and_nothing_is_fetched(
    network: Network, clock: FakeClock
) -> None:
    health = guard_for(network, clock).health()
    assert health == Health(None, None, None, None, (), dict.fromkeys(Reason, 0))
    assert network.asked == []


def test_ages_sequence_keys_and_refusals_are_told(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = guard_for(network, clock)
    issuer.revoke("sid", "phone")
    guard.authenticate(bearer(issuer.token()))
    guard.authenticate(bearer(issuer.token(sid="phone")))
    guard.authenticate(NOTHING)
    guard.authenticate(NOTHING)
    clock.advance(7)
    health = guard.health()
    assert (health.feed_age, health.sequence, health.by) == (7, 1, "poll")
    assert (health.keys_age, health.kids) == (7, (forge.KID,))
    counted = {reason: number for reason, number in health.refusals.items() if number}
    assert counted == {Reason.MISSING: 2, Reason.SIGNED_OUT: 1}


def test_keys_that_are_not_answered_for_grow_old(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = guard_for(network, clock)
    guard.authenticate(bearer(issuer.token(lifetime=7_200)))
    network.broken["/.well-known/jwks.json"] = FetchFailed("down")
    clock.advance(600)
    guard.authenticate(bearer(issuer.token()))
    assert (guard.health().keys_age, guard.health().kids) == (600, (forge.KID,))


class Notes:
    """An observer that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    def decided(self, outcome: Principal | Refusal, request: Any) -> None:
        self.heard.append((request.method, outcome.reason if isinstance(outcome, Refusal) else outcome.sub))


def test_an_observer_hears_every_decision_with_its_request(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    notes = Notes()
    guard = guard_for(network, clock, observer=notes)
    guard.authenticate(bearer(issuer.token("alice")))
    guard.authenticate(bearer(issuer.token("alice")), guard.requirement("orders:write"))
    guard.authenticate(PlainRequest("POST", {}))
    assert notes.heard == [("GET", "alice"), ("GET", "insufficient_scope"), ("POST", "missing")]


def test_an_observer_that_breaks_opens_no_door_and_closes_none(
    network: Network, clock: FakeClock, issuer: LocalIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def decided(self, outcome: Principal | Refusal, request: Any) -> None:
            raise RuntimeError("full disk")

    guard = guard_for(network, clock, observer=Broken())
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)
    assert isinstance(guard.authenticate(NOTHING), Refusal)
    assert caplog.text.count("the guard's observer failed") == 2


def test_threads_do_not_lose_each_others_counts() -> None:
    tally = Tally()

    def count() -> None:
        for _ in range(5_000):
            tally.count(Reason.MISSING)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.counts[Reason.MISSING] == 20_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_counts_although_the_lock_was_held_when_it_was_born() -> None:
    """As if another thread had been counting at the moment of the fork."""
    tally = Tally()
    tally.count(Reason.MISSING)
    with tally._lock:
        child = os.fork()
        if child == 0:
            tally.count(Reason.MISSING)
            os._exit(tally.counts[Reason.MISSING])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
    assert tally.counts[Reason.MISSING] == 1
