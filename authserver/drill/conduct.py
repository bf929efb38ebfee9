"""The drill itself: promotions as soon as each is safe, then an emergency before the next would be, under load.

The load never stops: while a command runs or a moment is waited for, tokens are renewed and handed out, and what the
verifiers see is taken in. An emergency may come at any time but one: within max-age of a promotion, the new next key
is not yet in every cache, and no server could change that. So the drill waits until the JWKS has shown the next key
for that long, and no longer: it signs well before the careful way would let it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from authserver.clock import Clock
from authserver.drill.operator import Facts, Operator, Pending
from authserver.drill.plan import SETTLING, Plan
from authserver.drill.processes import DrillBroken
from authserver.drill.squad import Squad
from authserver.drill.tokens import Issued, LiveTokens
from authserver.keyring.states import Ring

TURN: Final = 0.05
NEW_TOKEN_EVERY: Final = 0.25
GIVE_UP_AFTER: Final = 60.0  # for what should take a second or two


class Keys(Protocol):
    """What the drill sees of the keys: those in the database, and those that are published."""

    def ring(self) -> Ring: ...
    def is_published(self, kid: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Emergency:
    """A key was given up: which, when (the moment in its transaction), and which one signs in its place."""

    kid: str
    at: float
    successor: str
    heard: Facts | None = None  # the command's own words about who has heard of it


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is, for whoever waits."""

    seconds: float
    verifications: int
    doing: str


class Conduct:
    """One run. Everything that it needs comes in; it starts nothing itself."""

    def __init__(
        self,
        plan: Plan,
        *,
        operator: Operator,
        keys: Keys,
        squad: Squad,
        renew: Callable[[], Issued | None],
        clock: Clock,
        say: Callable[[Progress], None],
    ) -> None:
        self.tokens = LiveTokens()
        self.promotions = 0
        self.began_at = self.ended_at = clock.now().timestamp()
        self._plan, self._operator, self._keys, self._squad = plan, operator, keys, squad
        self._renew, self._clock, self._say = renew, clock, say
        self._renew_at = 0.0
        self._doing = "verifying"

    def run(self) -> Emergency:
        """Promote, compromise, watch, and go on until there were enough verifications."""
        self._load_for(SETTLING)
        while self.promotions < self._plan.promotions and self._plan.has_room(
            self.promotions, self._now() - self.began_at
        ):
            self._promote(self.promotions + 1)
            self.promotions += 1
        self._wait_until_every_cache_has_the_next_key()
        emergency = self._compromise()
        self._doing = f"watching {emergency.kid[:8]}"
        self._load_until(lambda: self._now() >= emergency.at + self._plan.observation)
        self._doing = "verifying the rest"
        self._load_until(lambda: self._squad.verifications >= self._plan.verifications)
        self.ended_at = self._now()
        return emergency

    def _promote(self, number: int) -> None:
        key = self._keys.ring().next
        if key is None:
            raise DrillBroken("there is no next key")
        self._doing = f"waiting until {key.kid[:8]} may sign ({number} of {self._plan.promotions})"
        safe_at = key.sign_not_before(self._plan.timing).timestamp()
        self._load_until(lambda: self._now() >= safe_at)
        self._doing = "keys rotate"
        facts = self._finished(self._operator.rotate())
        if facts["active"] != key.kid:
            raise DrillBroken(f"keys rotate did not promote {key.kid}: {facts['outcome']}")

    def _wait_until_every_cache_has_the_next_key(self) -> None:
        key = self._keys.ring().next
        if key is None:
            raise DrillBroken("there is no next key")
        self._doing = f"waiting until every cache has {key.kid[:8]}"
        kid = key.kid
        self._load_until(lambda: self._keys.is_published(kid), at_most=GIVE_UP_AFTER)
        self._load_for(self._plan.in_every_cache_after)

    def _compromise(self) -> Emergency:
        active = self._keys.ring().active
        if active is None:
            raise DrillBroken("no key signs")
        self._doing = "keys revoke --compromised"
        facts = self._finished(self._operator.compromise(active.kid))
        given_up = self._keys.ring().find(active.kid)
        if given_up is None or given_up.ended_at is None:
            raise DrillBroken(f"{active.kid} was not given up")
        return Emergency(active.kid, given_up.ended_at.timestamp(), str(facts["active"]), facts.get("heard"))

    def _finished(self, pending: Pending) -> Facts:
        answers: list[Facts] = []

        def done() -> bool:
            facts = pending()
            answers.extend([] if facts is None else [facts])
            return bool(answers)

        self._load_until(done, at_most=GIVE_UP_AFTER)
        return answers[0]

    def _load_for(self, seconds: float) -> None:
        until = self._now() + seconds
        self._load_until(lambda: self._now() >= until)

    def _load_until(self, done: Callable[[], bool], at_most: float | None = None) -> None:
        deadline = None if at_most is None else self._now() + at_most
        while not done():
            if deadline is not None and self._now() > deadline:
                raise DrillBroken(f"no end of it within {at_most:.0f} s: {self._doing}")
            self._turn()

    def _turn(self) -> None:
        if self._now() >= self._renew_at:
            self._renew_at = self._now() + NEW_TOKEN_EVERY
            token = self._renew()
            if token is not None:
                self.tokens.add(token)
            self._squad.use(self.tokens.alive(self._now()))
        self._squad.collect(TURN)
        self._refuse_to_go_on_alone()
        self._say(Progress(self._now() - self.began_at, self._squad.verifications, self._doing))

    def _refuse_to_go_on_alone(self) -> None:
        if self._squad.ended >= set(self._squad.processes):
            raise DrillBroken("every verifier has ended")

    def _now(self) -> float:
        return self._clock.now().timestamp()
