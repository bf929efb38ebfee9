"""How far a change has come, and how long that took."""

from datetime import timedelta

import pytest

from authserver.services.reached import Watch
from authserver.services.store import Instance
from tests.services.saying import NOW, instance

MARKS = {8: "m8", 9: "m9"}
BEFORE = NOW - timedelta(seconds=30)


def moved(seconds: float, **other: object) -> Instance:
    """An instance that was there before the change and said so long after it that it has it."""
    heard_at = NOW + timedelta(seconds=seconds)
    return instance(BEFORE, heard_at=heard_at, seen_at=heard_at, **{"sequence": 8, "mark": "m8", **other})


def watch(*looks: list[Instance]) -> Watch:
    watching = Watch(8, NOW)
    for number, found in enumerate(looks):
        watching.look(found, MARKS, NOW + number * timedelta(seconds=0.2))
    return watching


def test_a_service_has_heard_when_its_slowest_instance_has() -> None:
    first, second = instance(BEFORE), instance(BEFORE, instance="two")
    watching = watch([first, second], [moved(0.1), second])
    assert not watching.complete
    [reach] = watching.reaches()
    assert (reach.instances, reach.heard, reach.missing) == (2, 1, (second,))
    watching.look([moved(0.1), moved(0.25, instance="two")], MARKS, NOW)
    [reach] = watching.reaches()
    assert (reach.heard, reach.after, reach.missing) == (2, timedelta(seconds=0.25), ())
    assert watching.complete


def test_a_later_sequence_has_the_change_too() -> None:
    assert watch([moved(0.3, sequence=9, mark="m9")]).complete


def test_the_first_moment_counts_when_an_instance_moves_on() -> None:
    watching = watch([moved(0.1)], [moved(2, sequence=9, mark="m9")])
    assert watching.reaches()[0].after == timedelta(seconds=0.1)


@pytest.mark.parametrize(
    ("sequence", "mark"), [(7, "m7"), (8, "of the former history"), (19, "m8"), (19, "of the former history")]
)
def test_a_number_of_another_history_proves_nothing(sequence: int, mark: str) -> None:
    assert not watch([moved(0.1, sequence=sequence, mark=mark)]).complete


def test_whoever_starts_after_the_change_is_not_counted() -> None:
    assert watch([instance(NOW + timedelta(seconds=0.1))]).reaches() == []


def test_whoever_was_silent_before_is_not_waited_for() -> None:
    assert watch([instance(NOW - timedelta(seconds=41))]).complete


def test_whoever_stops_meanwhile_is_named() -> None:
    gone = instance(BEFORE)
    watching = watch([gone], [])
    assert not watching.complete
    assert watching.reaches()[0].missing == (gone,)


def test_a_clock_that_is_a_little_behind_makes_no_negative_time() -> None:
    assert watch([moved(-0.02)]).reaches()[0].after == timedelta(0)


def test_without_services_nothing_is_missing() -> None:
    watching = watch([])
    assert watching.complete
    assert watching.reaches() == []
