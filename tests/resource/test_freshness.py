from typing import Any

import pytest

from authserver.resource.freshness import Freshness
from authserver.resource.refusal import Reason, Refusal


def test_a_current_list_is_accepted() -> None:
    assert Freshness().judge(0.5) is None
    assert Freshness(beyond="refuse").judge(30.0) is None


def test_by_default_an_outage_of_the_issuer_does_not_stop_services() -> None:
    assert Freshness().judge(3600.0) is None


def test_a_service_that_chose_so_refuses_beyond_its_limit() -> None:
    refusal = Freshness(max_staleness=10, beyond="refuse").judge(10.5)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.status) == (Reason.STALE, 503)


def test_without_any_list_nothing_is_accepted_whatever_was_chosen() -> None:
    for freshness in (Freshness(), Freshness(beyond="refuse")):
        refusal = freshness.judge(None)
        assert refusal is not None
        assert refusal.reason is Reason.UNAVAILABLE


@pytest.mark.parametrize("beyond", ["", "reject", "Refuse", None])
def test_a_misspelt_choice_does_not_mean_accept(beyond: Any) -> None:
    with pytest.raises(ValueError, match="accept, refuse, introspect"):
        Freshness(5, beyond)


@pytest.mark.parametrize("age", [-1, float("nan")])
def test_an_age_below_zero_or_none_at_all_is_no_limit(age: float) -> None:
    with pytest.raises(ValueError, match="not below zero"):
        Freshness(age)


@pytest.mark.parametrize("age", ["5", None, True])
def test_an_age_is_a_number(age: Any) -> None:
    with pytest.raises(TypeError, match="seconds"):
        Freshness(age)


def test_with_introspection_a_refusal_stands_unless_the_issuer_says_better() -> None:
    refusal = Freshness(5, "introspect").judge(6.0)
    assert refusal is not None
    assert (refusal.reason, refusal.facts["age"], refusal.facts["max_staleness"]) == (Reason.STALE, 6, 5)
