"""What happened before the drill began: the first keys are made by the real code, by a clock that is set back.

Without a past, the first promotion would have to wait, and no key would live its whole life within a minute: a token
lives a minute at least. So the oldest key is made, signs its last tokens and is retired at a time before anything was
started. Nobody can hold a JWKS of that time, and its tokens are as alive as any: the promise is put to the same test.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authserver.accounts.store import Account
from authserver.accounts.usernames import canonical
from authserver.capabilities import Capabilities, Outside, build, outside
from authserver.clock import Clock
from authserver.drill.installation import ALGORITHM
from authserver.drill.plan import REMOVED_AFTER
from authserver.drill.tokens import PER_KEY, Issued, issued
from authserver.keyring.live import LiveKeyring
from authserver.keyring.states import Timing
from authserver.opaque import new_id
from authserver.sessions.store import Session
from authserver.settings import Settings
from authserver.tokens.access import AccessTokens

SIGNED_BEFORE: Final = timedelta(seconds=1)  # its retirement


@dataclass(frozen=True, slots=True)
class StoppedClock:
    """Shows one moment."""

    moment: datetime
    running: Clock

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.running.monotonic()

    async def reach(self, moment: datetime) -> None:
        await asyncio.sleep((moment - self.moment).total_seconds())


def give_keys_a_past(settings: Settings, timing: Timing, clock: Clock) -> list[Issued]:
    """Make the oldest key, let it sign, retire it; answer the tokens of it that are still alive."""
    lives_on = timing.longest_token_lifetime + timing.clock_skew
    retired_at = clock.now() + timedelta(seconds=REMOVED_AFTER) - lives_on
    made_at = retired_at - timing.jwks_max_age - timing.clock_skew
    with _at(made_at, settings, clock) as parts:
        parts.vault.check()
        parts.rotation.keep([ALGORITHM])
    with _at(retired_at - SIGNED_BEFORE, settings, clock) as parts:
        tokens = _last_tokens(parts)
    with _at(retired_at, settings, clock) as parts:
        parts.rotation.rotate(ALGORITHM, "server")
    return tokens


@contextmanager
def _at(moment: datetime, settings: Settings, clock: Clock) -> Iterator[Capabilities]:
    world = outside(settings)
    parts = build(settings, Outside(StoppedClock(moment, clock), world.generate, world.hashing))
    try:
        yield parts
    finally:
        parts.database.close()


def _last_tokens(parts: Capabilities) -> list[Issued]:
    """Tokens of somebody who signed in back then."""
    settings = parts.settings
    keyring = LiveKeyring(parts.database, parts.vault, parts.clock, settings.clock_skew)
    keyring.refresh()
    minting = AccessTokens(
        keyring,
        issuer=settings.issuer,
        audience=settings.token_audience,
        lifetime=settings.access_token_lifetime,
        algorithm=ALGORITHM,
    )
    now = parts.clock.now()
    account = Account(new_id(), canonical("earlier"), "earlier", None, ("user",), now, None, None, None)
    session = Session(
        new_id(), account.id, now, now, ("pwd",), now, now + timedelta(days=1), None, None, None
    )
    return [issued(minting.mint(minting.signer(), session, account, now).value) for _ in range(PER_KEY)]
