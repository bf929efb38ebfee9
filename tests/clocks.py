"""A clock that moves when a test says so."""

from datetime import UTC, datetime, timedelta


class HandClock:
    """Starts on a fixed day; `advance` moves both of its hands."""

    def __init__(self, start: datetime = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)) -> None:
        self.moment = start
        self.waited = timedelta(0)
        self._elapsed = 1000.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self._elapsed

    async def reach(self, moment: datetime) -> None:
        self.waited += moment - self.moment
        self.advance(moment - self.moment)

    def advance(self, by: timedelta | float) -> None:
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self.moment += step
        self._elapsed += step.total_seconds()
