"""The arithmetic of the bench: what is compared with what, and when a goal is reached."""

from itertools import count

import pytest

from benchmarks.goals import Goal, Judged, Verdict
from benchmarks.rounds import Sample, Spread, alternate, in_turn, interleave, percentile, ratio

AT_LEAST = Goal("jwks", "share of bare ASGI", 0.80, 0.95)
BELOW = Goal("writers", "p99", 50, None, "below", "ms")
AT_MOST = Goal("refresh", "statements that read", 1, None, "at most")


def samples(*rates: float) -> tuple[Sample, ...]:
    return tuple(map(Sample, rates))


def test_a_ratio_is_taken_round_by_round_and_not_of_medians() -> None:
    ours, theirs = samples(100, 10, 1_000), samples(50, 20, 1_000)
    assert ratio(ours, theirs) == Spread(median=1.0, low=0.5, high=2.0)


def test_rounds_that_were_not_measured_together_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio(samples(1, 2), samples(1))


def test_a_spread_is_the_median_the_lowest_and_the_highest() -> None:
    assert Spread.of([3, 1, 2, 10]) == Spread(median=2.5, low=1, high=10)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (percentile(values, 0.50), percentile(values, 0.99), percentile([7.0], 0.99)) == (50, 99, 7)


def test_subjects_are_measured_in_turn_after_a_warm_up_of_all() -> None:
    seen: list[tuple[str, float]] = []

    def subject(name: str, seconds: float) -> Sample:
        seen.append((name, seconds))
        return Sample(len(seen))

    taken = interleave({"a": lambda s: subject("a", s), "b": lambda s: subject("b", s)}, 2, 3.0)
    assert seen == [("a", 1.0), ("b", 1.0), ("a", 3.0), ("b", 3.0), ("a", 3.0), ("b", 3.0)]
    assert taken == {"a": samples(3, 5), "b": samples(4, 6)}


def test_an_operation_that_does_twice_as_much_has_half_the_rate() -> None:
    def once() -> int:
        return sum(range(2_000))

    taken = alternate({"once": once, "twice": lambda: (once(), once())}, 3, 0.03)
    assert ratio(taken["once"], taken["twice"]).median == pytest.approx(2, rel=0.4)


def test_inputs_come_in_turn_for_ever() -> None:
    following = in_turn(["a", "b"])
    assert [following() for _ in range(5)] == ["a", "b", "a", "b", "a"]


@pytest.mark.parametrize(
    ("goal", "figure", "verdict"),
    [
        (AT_LEAST, 0.79, Verdict.MISSED),
        (AT_LEAST, 0.80, Verdict.MET),
        (AT_LEAST, 0.95, Verdict.AIM),
        (BELOW, 50, Verdict.MISSED),
        (BELOW, 49.9, Verdict.MET),
        (AT_MOST, 1, Verdict.MET),
        (AT_MOST, 2, Verdict.MISSED),
    ],
)
def test_a_goal_is_judged_by_its_limits(goal: Goal, figure: float, verdict: Verdict) -> None:
    assert goal.judge(figure) is verdict


def test_a_figure_with_errors_misses_its_goal() -> None:
    assert Judged(AT_LEAST, Spread.of([1.0]), errors=1).verdict is Verdict.MISSED


def test_a_slice_ends_at_once_when_the_time_is_up_already() -> None:
    calls = count()
    assert alternate({"a": lambda: next(calls)}, 1, 1e-9)["a"][0].operations >= 1
