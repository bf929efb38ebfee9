"""The time, as a thing that is handed in: whoever needs it takes a `Clock`, and a test brings its own."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the server asks for the time."""

    def now(self) -> datetime:
        """Answer the current time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Answer seconds that never go back, for measuring how old a thing in memory is."""
        ...

    async def reach(self, moment: datetime) -> None:
        """Wait until it is `moment`."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def reach(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down: a JWT's NumericDate (RFC 7519 §2)."""
    return int(moment.timestamp())


def ceil_seconds(moment: datetime) -> int:
    """The first whole second that is not before `moment`."""
    return seconds(moment + timedelta(microseconds=999_999))
