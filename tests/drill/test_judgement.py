"""What counts as a failure, kind by kind; a made-up run is good until one thing is wrong with it."""

import pytest

from authserver.drill.judgement import Flaw, judge
from tests.drill.outcomes import GOOD, GUARD, MEASURE, OTHER, seen, verdict


def test_a_good_run_has_no_failure() -> None:
    good = verdict()
    assert (good.failed, good.verifications) == (0, 60)


@pytest.mark.parametrize("of", [GUARD, OTHER])
def test_a_good_token_that_is_refused_is_a_failure_of_any_verifier(of: object) -> None:
    bad = verdict(
        seen("first", 6, 6.2, accepted=False, reason="unknown kid"), of=GUARD if of is GUARD else OTHER
    )
    assert (bad.failed, bad.count(Flaw.REFUSED)) == (10, 10)
    assert bad.failures[0].reason == "unknown kid"


def test_a_key_that_is_refused_before_it_was_given_up_is_a_failure() -> None:
    assert verdict(seen("second", 19.9, 20.1, accepted=False)).count(Flaw.REFUSED) == 10


def test_a_key_that_is_refused_after_it_was_given_up_is_none() -> None:
    assert verdict(seen("second", 20.0, 20.1, accepted=False), of=OTHER).failed == 0


def test_the_successor_must_be_accepted_at_once() -> None:
    assert verdict(seen("third", 20.1, 20.2, accepted=False)).count(Flaw.REFUSED) == 10


def test_a_guard_that_accepts_the_key_after_its_contract_has_failed() -> None:
    assert verdict(seen("second", 22.9, 23.1)).count(Flaw.LATE) == 10
    assert verdict(seen("second", 22.8, 22.9)).failed == 0


def test_who_cannot_know_of_the_list_is_measured_and_not_judged() -> None:
    late = verdict(seen("second", 28.0, 29.9), of=OTHER)
    assert late.failed == 0
    assert late.effect == pytest.approx(9.9)


def test_an_altered_token_that_is_accepted_is_a_failure() -> None:
    assert verdict(seen("forged", 3, 3.1), of=OTHER).count(Flaw.FORGED) == 10


def test_a_verifier_that_died_has_failed_though_it_refused_nothing() -> None:
    assert judge(GUARD, GOOD, MEASURE, died=True).count(Flaw.DIED) == 1
    assert judge(GUARD, [], MEASURE, died=True).failed == 1 + len(MEASURE.kids)


def test_a_key_whose_tokens_were_never_accepted_proves_nothing() -> None:
    blind = verdict(good=[sight for sight in GOOD if sight.label != "third"])
    assert [(failure.kind, failure.label) for failure in blind.failures] == [(Flaw.UNSEEN, "third")]


def test_the_time_to_effect_is_that_of_the_last_acceptance() -> None:
    good = verdict()
    assert good.effect == pytest.approx(0.3)
    assert (good.still_accepts, good.refused_with) == (False, "signed_out")


def test_a_verifier_that_never_refused_the_key_accepts_it_still() -> None:
    forever = verdict(
        seen("second", 20.1, 29.9), of=OTHER, good=[sight for sight in GOOD if sight.reason != "signed_out"]
    )
    assert forever.still_accepts
    assert forever.effect == pytest.approx(9.9)


def test_the_first_acceptance_of_each_key_is_kept_and_forgeries_are_no_key() -> None:
    first = verdict(seen("forged", 3, 3.1)).first_accepted
    assert sorted(first) == ["first", "second", "third"]
