"""A verifier's process, without the process: its pace, its windows, and what a surprise counts as."""

import pytest

from authserver.drill.sights import Sight, Window, from_line, to_line
from authserver.drill.tokens import Issued
from authserver.drill.worker import REPORT_EVERY, TICK, Worker
from tests.clocks import HandClock


def token(label: str, clock: HandClock, seconds: float = 60) -> Issued:
    return Issued(label, f"token of {label}", clock.now().timestamp() + seconds)


def ran(worker: Worker, clock: HandClock, ticks: int) -> list[Sight]:
    """So many ticks by the hand clock, and what was said."""
    said: list[Sight] = []
    left = iter(range(ticks))

    def pause(seconds: float) -> bool:
        clock.advance(seconds)
        return next(left, None) is None

    worker.run(pause, lambda line: said.extend(from_line(line)))
    return said


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_the_pace_is_kept(clock: HandClock) -> None:
    worker = Worker(lambda _: None, clock, rate=500)
    worker.use([token("a", clock), token("b", clock)])
    start = clock.now()
    said = ran(worker, clock, ticks=50)
    assert sum(sight.times for sight in said) == 500
    assert (clock.now() - start).total_seconds() == pytest.approx(50 * TICK)


def test_what_was_seen_is_said_in_windows(clock: HandClock) -> None:
    worker = Worker(lambda value: None if value.endswith("a") else "no", clock, rate=100)
    worker.use([token("a", clock), token("b", clock)])
    said = ran(worker, clock, ticks=REPORT_EVERY)
    assert [(s.label, s.accepted, s.times, s.reason) for s in said] == [
        ("a", True, 10, ""),
        ("b", False, 10, "no"),
    ]


def test_a_token_past_its_time_is_not_asked_about(clock: HandClock) -> None:
    worker = Worker(lambda _: "expired", clock, rate=100)
    worker.use([token("a", clock, seconds=-1)])
    assert ran(worker, clock, ticks=REPORT_EVERY) == []


def test_a_verifier_that_raises_has_refused(clock: HandClock) -> None:
    def broken(_: str) -> str | None:
        raise ZeroDivisionError("a bug")

    worker = Worker(broken, clock, rate=50)
    worker.use([token("a", clock)])
    (sight,) = ran(worker, clock, ticks=REPORT_EVERY)
    assert (sight.accepted, sight.reason) == (False, "ZeroDivisionError: a bug")


def test_a_refusal_of_a_token_that_died_meanwhile_says_nothing(clock: HandClock) -> None:
    def slow(_: str) -> str:
        clock.advance(10)
        return "expired"

    worker = Worker(slow, clock, rate=50)
    worker.use([token("a", clock, seconds=5)])
    assert ran(worker, clock, ticks=REPORT_EVERY) == []


def test_a_slow_verifier_works_without_pause_and_does_not_hurry_afterwards(clock: HandClock) -> None:
    pauses: list[float] = []

    def slow(_: str) -> None:
        clock.advance(5)

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) == 4

    worker = Worker(slow, clock, rate=50)
    worker.use([token("a", clock)])
    worker.run(pause, lambda _: None)
    assert pauses == [0.0] * 4


def test_a_sight_crosses_the_pipe_unchanged() -> None:
    window = Window()
    for at in (1.5, 2.5):
        window.note("a", None, at)
    window.note("a", "no", 3.5)
    sights = window.taken()
    assert from_line(to_line(sights)) == [Sight("a", True, 2, 1.5, 2.5), Sight("a", False, 1, 3.5, 3.5, "no")]
    assert window.taken() == []
