"""How old the revocation list may be: for the guard, and for one route that is stricter or laxer."""

from typing import Any

import pytest

from authserver.resource import Freshness, Guard, Principal, Refusal, Requirement
from authserver.resource.guard import PlainRequest
from authserver.resource.refusal import Reason
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network


def guard_for(network: Network, clock: FakeClock, **settings: Any) -> Guard:
    guard = Guard(
        forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock, **settings
    )
    guard.close()
    return guard


def ask(guard: Guard, issuer: LocalIssuer, requirement: Requirement) -> Reason | None:
    outcome = guard.authenticate(
        PlainRequest("GET", {"authorization": f"Bearer {issuer.token()}"}), requirement
    )
    return outcome.reason if isinstance(outcome, Refusal) else None


def test_a_route_may_be_stricter_than_its_guard(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = guard_for(network, clock, heartbeat=2)
    strict = guard.requirement(freshness=Freshness(5, "refuse"))
    assert ask(guard, issuer, strict) is None
    clock.advance(6)
    assert ask(guard, issuer, strict) is Reason.STALE
    assert ask(guard, issuer, guard.requirement()) is None


def test_a_route_may_be_laxer_than_its_guard(network: Network, clock: FakeClock, issuer: LocalIssuer) -> None:
    guard = guard_for(network, clock, freshness=Freshness(5, "refuse"))
    lax = guard.requirement(freshness=Freshness(3_600, "accept"))
    assert ask(guard, issuer, lax) is None
    clock.advance(600)
    assert ask(guard, issuer, lax) is None
    assert ask(guard, issuer, guard.requirement()) is Reason.STALE


def test_a_contract_that_no_good_day_could_keep_is_refused_at_the_start(
    network: Network, clock: FakeClock
) -> None:
    guard = guard_for(network, clock)
    with pytest.raises(ValueError, match=r"give the guard heartbeat=1\.7"):
        guard.requirement(freshness=Freshness(5, "refuse"))
    with pytest.raises(ValueError, match=r"at least 2\.5"):
        guard_for(network, clock, freshness=Freshness(2, "refuse"))
    for max_staleness in (2.5, 2.9, 5):
        guard_for(network, clock, freshness=Freshness(max_staleness, "refuse"))


@pytest.mark.parametrize("max_staleness", [2.5, 2.6, 2.99, 3, 4, 7.3, 12.4])
def test_the_heartbeat_that_it_recommends_is_one_that_it_takes(
    network: Network, clock: FakeClock, max_staleness: float
) -> None:
    strict = Freshness(max_staleness, "refuse")
    with pytest.raises(ValueError, match="give the guard heartbeat=") as refused:
        guard_for(network, clock).requirement(freshness=strict)
    recommended = float(str(refused.value).rpartition("=")[2])
    guard_for(network, clock, heartbeat=recommended).requirement(freshness=strict)


def test_what_a_guard_cannot_do_is_refused_at_the_start(network: Network, clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="Introspection"):
        guard_for(network, clock).requirement(freshness=Freshness(5, "introspect"))
    with pytest.raises(ValueError, match="Introspection"):
        guard_for(network, clock, freshness=Freshness(5, "introspect"))
    with pytest.raises(ValueError, match="follows"):
        guard_for(network, clock, follow_revocations=False).requirement(freshness=Freshness(60, "refuse"))


def test_a_requirement_from_elsewhere_that_the_guard_cannot_keep_admits_nobody(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    """Django's decorators are written before there is a guard."""
    without_list = guard_for(network, clock, follow_revocations=False)
    assert ask(without_list, issuer, Requirement(freshness=Freshness(60, "refuse"))) is Reason.STALE
    assert ask(without_list, issuer, Requirement(freshness=Freshness(60, "introspect"))) is Reason.STALE
    guard = guard_for(network, clock)
    assert ask(guard, issuer, Requirement(freshness=Freshness(5, "introspect"))) is None
    clock.advance(6)
    assert ask(guard, issuer, Requirement(freshness=Freshness(5, "introspect"))) is Reason.STALE


def test_the_stream_is_asked_to_speak_three_times_as_often_as_the_guard_must_hear(
    network: Network, clock: FakeClock
) -> None:
    for freshness, heartbeat in ((Freshness(), 5), (Freshness(6, "refuse"), 2), (Freshness(0), 1)):
        assert guard_for(network, clock, freshness=freshness)._heartbeat == heartbeat
    assert guard_for(network, clock, heartbeat=3)._heartbeat == 3


def test_a_bad_token_is_bad_whatever_the_age_of_the_list(network: Network, clock: FakeClock) -> None:
    guard = guard_for(network, clock, freshness=Freshness(5, "refuse"))
    outcome = guard.authenticate(PlainRequest("GET", {"authorization": "Bearer x.y.z"}))
    assert not isinstance(outcome, Principal)
    assert outcome.reason is Reason.MALFORMED
