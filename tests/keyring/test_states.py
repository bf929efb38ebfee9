"""The life of a key as a state machine: servers that lag, verifiers that cache, an operator who rotates at any time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from authserver.keyring.states import Ring, SigningKey, State, Timing

START = datetime(2026, 1, 1, tzinfo=UTC)
TIMING = Timing(
    jwks_max_age=timedelta(seconds=30),
    clock_skew=timedelta(seconds=20),
    longest_token_lifetime=timedelta(seconds=50),
    rotation_period=timedelta(seconds=200),
)
TRUST = TIMING.clock_skew / 2  # keyring/live.py: a server that has not looked for so long signs nothing


def key(name: str) -> SigningKey:
    return SigningKey(name, "RS256", State.NEXT, {"kid": name}, START)


def fresh() -> Ring:
    return Ring("RS256").fill([key("first"), key("second")], START)


@dataclass(frozen=True)
class Token:
    kid: str
    expires_at: datetime


@dataclass(frozen=True)
class Copy:
    """A JWKS as some verifier holds it."""

    kids: frozenset[str]
    fetched_at: datetime


class Life(RuleBasedStateMachine):
    """Two servers that follow the ring at their own pace, and everything that was ever fetched or signed."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.ring = fresh()
        self.count = 2
        self.views = [self.ring, self.ring]
        self.looked_at = [START, START]
        self.copies: list[Copy] = []
        self.tokens: list[Token] = []

    def save(self, ring: Ring) -> None:
        spare = [key(f"key-{self.count + number}") for number in range(ring.wants())]
        self.count += len(spare)
        self.ring = ring.fill(spare, self.now)

    @rule(seconds=st.sampled_from([1, 3, 9, 10]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        for server, looked_at in enumerate(self.looked_at):
            if self.now - looked_at > TRUST:
                self.server_looks(server)
        self.copies = [copy for copy in self.copies if self.now - copy.fetched_at <= TIMING.jwks_max_age]
        self.tokens = [token for token in self.tokens if token.expires_at > self.now]

    @rule(server=st.integers(0, 1))
    def server_looks(self, server: int) -> None:
        self.views[server], self.looked_at[server] = self.ring, self.now

    @rule()
    def maintenance_runs(self) -> None:
        self.save(self.ring.advance(self.now, TIMING))

    @rule()
    def operator_rotates(self) -> None:
        self.save(self.ring.request(self.now, TIMING).advance(self.now, TIMING))

    @rule(server=st.integers(0, 1))
    def verifier_fetches(self, server: int) -> None:
        kids = frozenset(key.kid for key in self.views[server].published)
        self.copies.append(Copy(kids, self.now))

    @rule(server=st.integers(0, 1))
    def server_signs(self, server: int) -> None:
        active = self.views[server].active
        assert active is not None
        self.tokens.append(Token(active.kid, self.now + TIMING.longest_token_lifetime))

    @rule(choice=st.integers(0, 5))
    def a_key_is_compromised(self, choice: int) -> None:
        """The promise ends for that key's tokens, and for verifiers who cannot know its successor yet."""
        named = self.ring.keys[choice % len(self.ring.keys)]
        self.save(self.ring.compromise(named.kid, self.now))
        self.views, self.looked_at = [self.ring, self.ring], [self.now, self.now]
        self.tokens = [token for token in self.tokens if token.kid != named.kid]
        active = self.ring.active
        assert active is not None
        self.copies = [copy for copy in self.copies if active.kid in copy.kids]

    @invariant()
    def every_living_token_verifies_with_every_copy_that_may_still_be_used(self) -> None:
        for copy in self.copies:
            assert {token.kid for token in self.tokens} <= copy.kids

    @invariant()
    def one_key_is_active_and_one_is_next(self) -> None:
        states = [key.state for key in self.ring.keys]
        assert (states.count(State.ACTIVE), states.count(State.NEXT)) == (1, 1)

    @invariant()
    def no_compromised_key_is_published(self) -> None:
        assert all(key.state is not State.COMPROMISED for key in self.ring.published)


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestLife = Life.TestCase


def test_the_first_key_signs_at_once_and_a_next_key_waits_beside_it() -> None:
    ring = fresh()
    assert ring.active is not None
    assert ring.next is not None
    assert (ring.active.kid, ring.next.kid) == ("first", "second")


def test_a_rotation_that_comes_too_early_is_scheduled_for_the_first_safe_moment() -> None:
    ring = fresh().request(START, TIMING)
    assert ring.promote_at == START + TIMING.jwks_max_age + TIMING.clock_skew
    assert ring.advance(START + timedelta(seconds=49), TIMING) == ring
    promoted = ring.advance(START + timedelta(seconds=50), TIMING)
    assert promoted.active is not None
    assert promoted.active.kid == "second"
    assert promoted.promote_at is None


def test_asking_twice_for_a_rotation_schedules_one() -> None:
    once = fresh().request(START, TIMING)
    assert once.request(START + timedelta(seconds=7), TIMING) == once


def test_a_key_is_retired_by_age_alone() -> None:
    ring = fresh()
    assert ring.advance(START + timedelta(seconds=199), TIMING) == ring
    later = ring.advance(START + timedelta(seconds=200), TIMING)
    assert later.active is not None
    assert later.active.kid == "second"


def test_a_retired_key_is_removed_when_its_last_token_has_expired_and_not_before() -> None:
    retired_at = START + timedelta(seconds=200)
    ring = fresh().advance(retired_at, TIMING).fill([key("third")], retired_at)
    gone = retired_at + TIMING.longest_token_lifetime + TIMING.clock_skew
    early = ring.advance(gone - timedelta(seconds=1), TIMING).find("first")
    late = ring.advance(gone, TIMING).find("first")
    assert early is not None
    assert late is not None
    assert (early.state, late.state) == (State.RETIRED, State.REMOVED)


def test_a_compromised_active_key_is_succeeded_at_once_and_leaves_the_published_set() -> None:
    ring = fresh().compromise("first", START)
    assert ring.active is not None
    assert ring.active.kid == "second"
    assert [key.kid for key in ring.published] == ["second"]


def test_compromising_an_unknown_key_changes_nothing() -> None:
    assert fresh().compromise("stranger", START) == fresh()
