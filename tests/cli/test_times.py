"""Moments and lengths in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from authserver.cli.times import hint, iso, span, when

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_moment_is_written_in_utc_whatever_its_zone() -> None:
    assert iso(datetime(2026, 11, 23, 21, tzinfo=timezone(timedelta(hours=9)))) == "2026-11-23T12:00:00Z"


def test_moment_says_how_far_away_it_is() -> None:
    assert when(NOON, NOON - timedelta(minutes=5)) == "2026-11-23T12:00:00Z (in 5 min)"
    assert when(None, NOON) == ""


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(0), "now"),
        (timedelta(seconds=-1), "1 s ago"),
        (timedelta(seconds=59), "in 59 s"),
        (timedelta(minutes=5, seconds=55), "in 6 min"),
        (timedelta(hours=-3), "3 h ago"),
        (timedelta(days=29, hours=23), "in 30 d"),
    ],
)
def test_distance_is_in_the_largest_unit_that_fits(away: timedelta, words: str) -> None:
    assert hint(away) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(days=30), "30d"),
        (timedelta(hours=36), "36h"),
        (timedelta(minutes=5), "5m"),
        (timedelta(seconds=90), "90s"),
        (timedelta(0), "0s"),
    ],
)
def test_length_is_written_exactly_as_a_setting(length: timedelta, words: str) -> None:
    assert span(length) == words
