from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.resource.revocation_ladder import Ladder, Step

STREAM, LONG_POLL, POLL = Step


def ladder(jitter: float = 1.0) -> Ladder:
    """One that has its first list."""
    made = Ladder(jitter=lambda: jitter)
    assert made.choose(0) is POLL
    assert made.worked(POLL, 0) == 0
    return made


def left_out(made: Ladder, *steps: Step) -> Ladder:
    for step in steps:
        assert made.missing(step, 0) == 0
    return made


def test_after_the_first_list_the_stream_comes_first() -> None:
    assert ladder().choose(0) is STREAM


def test_what_is_missing_is_left_out_and_tried_again_after_a_while() -> None:
    made = left_out(ladder(0.5), STREAM)
    assert made.choose(0) is LONG_POLL
    made.missing(LONG_POLL, 0)
    assert made.choose(59) is POLL
    assert made.choose(60) is STREAM
    pauses = []
    for _ in range(6):
        made.missing(STREAM, 0)
        pauses.append(next(now for now in range(0, 700, 10) if made.choose(now) is STREAM))
    assert pauses == [120, 240, 480, 600, 600, 600]


def test_without_a_better_step_it_polls_in_its_interval_a_little_spread() -> None:
    delays = []
    for jitter in (0.0, 1.0):
        made = Ladder((), interval=1.0, jitter=partial(float, jitter))
        delays += [made.worked(POLL, 0), made.worked(POLL, 1)]
        assert made.choose(10_000) is POLL
    assert delays == [pytest.approx(seconds) for seconds in (0.9, 0.9, 1.1, 1.1)]


def test_a_stream_that_is_cut_is_opened_again_at_once_and_then_less_and_less() -> None:
    made = ladder()
    assert made.cut() <= 0.2
    assert made.choose(0) is STREAM
    assert made.failed(STREAM) == 0.25
    assert made.choose(0) is POLL
    delays = [made.failed(POLL) for _ in range(6)]
    assert delays == [0.5, 1, 1, 1, 1, 1]
    assert made.worked(POLL, 0) == 0
    assert made.choose(0) is STREAM  # the issuer was away, the stream is not to blame
    assert made.failures == 0


def test_however_long_an_issuer_was_away_it_is_asked_within_a_second_of_its_return() -> None:
    made = ladder()
    assert max(made.failed(POLL) for _ in range(5_000)) == 1


def test_chance_takes_up_to_half_of_a_pause_away() -> None:
    assert ladder(0.0).failed(STREAM) == 0.125


def test_a_server_may_ask_for_a_longer_pause_but_not_for_ever() -> None:
    made = ladder()
    assert made.cut(at_least=0.8) <= 0.2
    assert made.cut(at_least=0.8) == 0.8
    assert made.cut(at_least=5_000) == 1


def test_a_stream_that_breaks_while_polls_work_is_left_out_after_the_third_time() -> None:
    made = ladder()
    for _ in range(3):
        assert made.choose(0) is STREAM
        made.failed(STREAM)
        assert made.choose(0) is POLL
        assert made.worked(POLL, 0) == 0
    assert made.choose(0) is LONG_POLL


def test_a_stream_that_brings_nothing_is_left_out_if_a_poll_brings_something() -> None:
    made = ladder()
    assert made.silent(STREAM) == 0.25
    assert made.choose(0) is POLL
    made.worked(POLL, 0)
    assert made.choose(0) is LONG_POLL


def test_when_a_poll_brings_nothing_either_no_step_is_to_blame() -> None:
    made = ladder()
    made.silent(STREAM)
    made.failed(POLL)
    made.worked(POLL, 0)
    assert made.choose(0) is STREAM


def test_documents_that_do_not_fit_are_answered_by_the_whole_list_at_once_and_not_for_ever() -> None:
    made = ladder()
    for _ in range(3):
        assert made.choose(0) is STREAM
        assert made.lost_track(STREAM) == 0
        assert made.choose(0) is POLL
        made.worked(POLL, 0)
    assert made.choose(0) is LONG_POLL


def test_a_stream_that_lives_long_clears_its_name() -> None:
    made = ladder()
    for _ in range(10):
        assert made.cut() <= 0.2
        made.heard(59)
        made.heard(60)
    assert made.choose(0) is STREAM


def test_a_long_poll_follows_the_other_and_a_good_one_clears_its_name() -> None:
    made = left_out(ladder(), STREAM)
    for _ in range(10):
        made.failed(LONG_POLL)
        made.worked(POLL, 0)
        assert made.choose(0) is LONG_POLL
        assert made.worked(LONG_POLL, 0) < 0.1


EVENTS = ["worked", "failed", "silent", "cut", "lost_track", "missing", "heard"]


@given(
    st.lists(
        st.tuples(st.sampled_from(EVENTS), st.floats(0, 100), st.floats(0, 1)),
        max_size=60,
    )
)
def test_whatever_happens_it_neither_hurries_nor_gives_up(history: list[tuple[str, float, float]]) -> None:
    now, chance, hurried = 0.0, 0.5, 0
    made = Ladder(jitter=lambda: chance)
    for event, passed, chance in history:  # noqa: B007 - `chance` is read by the ladder
        step = made.choose(now)
        pause = happen(made, step, event, now, passed)
        assert 0 <= pause <= 1.1
        hurried = hurried + 1 if pause < 0.04 else 0
        assert hurried <= 12
        now += pause + passed
    deadline = now + 700
    while (step := made.choose(now)) is not STREAM:  # from now on all is well
        assert now < deadline
        now += made.worked(step, now) + 5


def happen(made: Ladder, step: Step, event: str, now: float, lived: float) -> float:
    """What cannot happen on this step is a failure."""
    if event == "heard" and step is STREAM:
        made.heard(lived)
    outcomes = {
        "heard": lambda: 1.0 if step is STREAM else made.failed(step),
        "cut": lambda: made.cut() if step is STREAM else made.failed(step),
        "missing": lambda: made.missing(step, now) if step is not POLL else made.failed(step),
        "silent": lambda: made.silent(step) if step is not POLL else made.failed(step),
        "lost_track": lambda: made.lost_track(step) if step is not POLL else made.failed(step),
        "worked": lambda: made.worked(step, now) if step is not STREAM else made.failed(step),
        "failed": lambda: made.failed(step),
    }
    return outcomes[event]()
