"""When to try again."""

from datetime import UTC, datetime, timedelta

import pytest

from authserver.deliveries.schedule import GIVE_UP_AFTER, next_attempt

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 5), (3, 30), (4, 120), (5, 600), (6, 3600), (7, 3600), (99, 3600)]
)
def test_pauses_grow_up_to_an_hour(attempts: int, seconds: float) -> None:
    again = next_attempt(attempts, now=NOW, gives_up_at=NOW + GIVE_UP_AFTER, chance=lambda: 0.5)
    assert again == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 24), (1.0, 36)])
def test_apps_that_fell_together_are_not_asked_together(chance: float, seconds: float) -> None:
    again = next_attempt(3, now=NOW, gives_up_at=NOW + GIVE_UP_AFTER, chance=lambda: chance)
    assert again == NOW + timedelta(seconds=seconds)


def test_there_is_no_attempt_after_the_last_moment() -> None:
    last = NOW + timedelta(seconds=30)
    assert next_attempt(3, now=NOW, gives_up_at=last, chance=lambda: 0.5) is None
    assert next_attempt(2, now=NOW, gives_up_at=last, chance=lambda: 0.5) is not None
