"""The two limits of a session, as plain arithmetic."""

from datetime import UTC, datetime, timedelta

from authserver.sessions.lifetime import WRITE_EVERY, Lifetime

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_the_absolute_limit_counts_from_the_start_and_the_idle_one_from_now() -> None:
    lifetime = Lifetime(idle=timedelta(hours=1), absolute=timedelta(hours=9))
    assert lifetime.expires_at(NOW) == NOW + timedelta(hours=9)
    assert lifetime.seen_after(NOW) == NOW - timedelta(hours=1)


def test_a_use_is_noted_once_a_minute_or_sooner_where_sessions_are_short() -> None:
    long = Lifetime(timedelta(days=7), timedelta(days=30))
    short = Lifetime(timedelta(seconds=40), timedelta(days=1))
    assert not long.worth_noting(NOW, NOW + WRITE_EVERY - timedelta(seconds=1))
    assert long.worth_noting(NOW, NOW + WRITE_EVERY)
    assert short.worth_noting(NOW, NOW + timedelta(seconds=10))
