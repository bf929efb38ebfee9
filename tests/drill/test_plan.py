"""The timetable keeps the arithmetic, and its lengths of time are the shortest that the settings allow."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from authserver.drill.installation import settings_for
from authserver.drill.plan import SHORT_SECONDS, STARTING, plan_for
from authserver.keyring.states import Timing

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("seconds", [SHORT_SECONDS, 60, 3_600])
def test_the_settings_take_the_plans_times(tmp_path: Path, seconds: int) -> None:
    timing = plan_for(seconds).timing
    settings = settings_for(tmp_path, 8000, timing)
    assert settings.clock_skew == timing.clock_skew


@pytest.mark.parametrize(
    ("timing", "named"),
    [
        (lambda timing: replace(timing, clock_skew=timing.clock_skew - SECOND), "clock_skew"),
        (
            lambda timing: replace(timing, longest_token_lifetime=timing.longest_token_lifetime - SECOND),
            "access_token_lifetime",
        ),
        (lambda timing: replace(timing, jwks_max_age=timing.jwks_max_age - SECOND), "jwks_max_age"),
    ],
)
def test_no_time_could_be_shorter(tmp_path: Path, timing: object, named: str) -> None:
    shorter = timing(plan_for(SHORT_SECONDS).timing) if callable(timing) else None
    assert isinstance(shorter, Timing)
    with pytest.raises(ValidationError, match=named):
        settings_for(tmp_path, 8000, shorter)


def test_a_promotion_comes_no_sooner_than_the_arithmetic_allows() -> None:
    plan = plan_for(60)
    commands = [step.at for step in plan.steps() if step.what == "keys rotate"]
    wait = plan.timing.jwks_max_age + plan.timing.clock_skew
    assert len(commands) == plan.promotions == 4
    assert all(after - before >= wait.total_seconds() for before, after in pairwise(commands))


def test_the_emergency_comes_before_the_next_promotion_would_be_safe_and_after_max_age() -> None:
    plan = plan_for(60)
    after_promotion = plan.emergency_at - max(step.at for step in plan.steps() if step.what == "keys rotate")
    timing = plan.timing
    assert timing.jwks_max_age.total_seconds() < after_promotion
    assert after_promotion < (timing.jwks_max_age + timing.clock_skew).total_seconds()


@pytest.mark.parametrize("seconds", [20, 60, 120, 600])
def test_a_plan_fits_into_its_time(seconds: int) -> None:
    assert STARTING + plan_for(seconds).seconds <= seconds


def test_more_time_means_more_promotions_and_never_none() -> None:
    assert [plan_for(seconds).promotions for seconds in (10, 14, 60, 120)] == [1, 1, 4, 8]


def test_the_verifiers_are_watched_for_longer_than_the_contract() -> None:
    for seconds in (SHORT_SECONDS, 60):
        assert plan_for(seconds).observation > plan_for(seconds).contract


def test_a_full_drill_verifies_a_hundred_thousand_times_and_a_short_one_less() -> None:
    assert plan_for(60).verifications == 100_000
    assert plan_for(SHORT_SECONDS).verifications == 10_000
    assert plan_for(SHORT_SECONDS, 7).verifications == 7


def test_the_steps_are_in_order_and_the_oldest_key_is_removed_on_the_way() -> None:
    steps = plan_for(60).steps()
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert any("removed" in step.what for step in steps)
    assert not any("removed" in step.what for step in plan_for(SHORT_SECONDS).steps())


def test_a_busy_machine_has_time_for_fewer_promotions_but_for_one_always() -> None:
    plan = plan_for(60)
    third = max(step.at for step in plan.steps() if step.what == "keys rotate") - plan.cycle
    assert plan.has_room(3, third + 2)
    assert not plan.has_room(3, third + 12)
    assert plan.has_room(0, 1_000)
