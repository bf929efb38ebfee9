"""The proof of the proof: where a rotation breaks the arithmetic, the drill says so, and names who was hurt.

One run with real processes, in which a key signs at the moment of its publication, before any cache can have it; and
the emergency comes as early. The ring does it itself, below the rules that would refuse it.
"""

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from authserver.clock import SystemClock
from authserver.drill.drill import Outcome, drill
from authserver.drill.installation import ALGORITHM, Installation
from authserver.drill.judgement import Flaw
from authserver.drill.operator import Pending
from authserver.drill.plan import Plan, plan_for
from authserver.keyring.states import Ring
from authserver.revocations.keys import compromise

STRICT = {"max_age_joserfc", "max_age_authlib"}


class Hasty(Plan):
    """Waits for no cache."""

    @property
    def in_every_cache_after(self) -> float:
        return 1.0


@dataclass(frozen=True, slots=True)
class Careless:
    """Rotates without looking at any date."""

    place: Installation

    def rotate(self) -> Pending:
        expected = self.place.ring().next
        assert expected is not None
        self.place.parts.rotation.change(ALGORITHM, _rushed, "operator")
        return lambda: {"active": expected.kid}

    def compromise(self, kid: str) -> Pending:
        key = self.place.ring().find(kid)
        assert key is not None
        after = compromise(self.place.parts.rotation, key).after
        return lambda: {"active": after.active.kid if after.active else None}


def _rushed(ring: Ring, now: datetime) -> Ring:
    """Twice: the ring then has no next key left, and what fills the gap signs at once."""
    return ring.promoted(now).promoted(now)


@pytest.fixture(scope="module")
def spoiled() -> Outcome:
    timing = replace(plan_for(14).timing, jwks_max_age=timedelta(seconds=20))
    plan = Hasty(1, 1_000, timing, contract=0.9, observation=1.0)
    return drill(plan, os.environ, SystemClock(), lambda _: None, lambda place, _: Careless(place))


def refused(outcome: Outcome, kid: str) -> set[str]:
    """The modules of the verifiers that refused good tokens of this key."""
    return {
        verdict.verifier.module
        for verdict in outcome.verdicts
        for failure in verdict.failures
        if failure.kind is Flaw.REFUSED and failure.label == kid
    }


def test_a_key_that_signs_too_early_is_refused_by_whoever_obeys_max_age(spoiled: Outcome) -> None:
    assert refused(spoiled, spoiled.emergency.kid) >= STRICT


def test_an_emergency_within_max_age_of_a_promotion_is_noticed_by_the_same(spoiled: Outcome) -> None:
    assert refused(spoiled, spoiled.emergency.successor) >= STRICT


def test_a_key_that_they_never_accepted_proves_nothing(spoiled: Outcome) -> None:
    unseen = {verdict.verifier.module for verdict in spoiled.verdicts if verdict.count(Flaw.UNSEEN)}
    assert unseen >= STRICT


def test_a_spoiled_drill_has_failures_and_no_forgery_passed(spoiled: Outcome) -> None:
    assert spoiled.failures > 0
    assert all(verdict.count(Flaw.FORGED) == verdict.count(Flaw.DIED) == 0 for verdict in spoiled.verdicts)
