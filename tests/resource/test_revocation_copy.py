"""The copy of the list beside an issuer that may be restored, behind a network that may do what it likes."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from authserver.protocol.revocation import Kind
from authserver.resource.revocation_copy import SKEW, Heard, RevocationCopy
from authserver.resource.revocation_document import UnusableDocument
from authserver.resource.revocation_set import Delta, Entry, Position, Reset, Snapshot

Event = Snapshot | Delta | Reset
NOTHING = Snapshot(0, "m0", ())


def at(seconds: float, *, wall: float | None = None) -> Heard:
    return Heard(seconds, seconds, seconds if wall is None else wall)


def started(iat: float = 1_000.5) -> RevocationCopy:
    copy = RevocationCopy()
    assert copy.take(NOTHING, iat, at(1_000.5))
    return copy


def nothing_new(sequence: int = 0) -> Delta:
    return Delta(sequence, f"m{sequence}", sequence, f"m{sequence}", ())


def test_the_age_is_counted_from_what_the_issuer_said_and_not_from_when_it_came() -> None:
    copy = started()
    assert copy.age(1_000.5) == 0
    assert copy.take(nothing_new(), 1_002.5, at(1_010.5))
    assert copy.age(1_010.5) == pytest.approx(8, abs=0.6)


def test_a_whole_second_is_told_at_any_time_in_it() -> None:
    copy = RevocationCopy()
    for beat in range(1_000, 1_040):
        now = 1.05 * beat
        copy.take(NOTHING if beat == 1_000 else nothing_new(), int(now), at(now))
        assert copy.age(now) == 0


def test_the_difference_between_two_clocks_is_no_age() -> None:
    for skew in (-55.0, 55.0):
        copy = started(1_000.5 + skew)
        assert copy.age(1_000.5) == 0
        assert copy.take(nothing_new(), 1_030.5 + skew, at(1_030.5))
        assert copy.age(1_030.5) == 0


def test_what_is_older_than_clocks_can_differ_is_old_from_the_start() -> None:
    assert started(999.5 - SKEW).age(1_000.5) == SKEW + 1


def test_an_answer_is_as_old_as_its_question() -> None:
    copy = RevocationCopy()
    copy.take(NOTHING, 1_000, Heard(asked_at=992, came_at=1_000, now=1_000))
    assert copy.age(1_000) == 8


def test_a_document_that_is_sent_again_makes_nothing_younger() -> None:
    copy = started()
    for now in range(1_001, 1_200):
        assert copy.take(nothing_new(), 1_000.5, at(now))
        assert copy.age(now) == now - 1_000.5


def test_a_clock_that_is_set_right_is_forgiven_in_time() -> None:
    copy = started(1_008.5)
    ages = []
    for now in range(1_010, 1_400, 5):
        copy.take(nothing_new(), now + 0.5, at(now + 0.5))
        ages.append(copy.age(now + 0.5) or 0.0)
    assert ages[0] == pytest.approx(8, abs=0.6)
    assert ages[-1] == 0


@pytest.mark.parametrize("iat", [1_000 - 11, 1_000 + 61])
def test_a_document_of_another_time_is_refused(iat: float) -> None:
    copy = started()
    with pytest.raises(UnusableDocument):
        copy.take(Snapshot(1, "m1", ()), iat, at(1_000))
    assert copy.position == (0, "m0")


def test_when_only_the_whole_list_helps_it_says_so() -> None:
    copy = RevocationCopy()
    events: list[tuple[Event, bool]] = [
        (NOTHING, False),
        (nothing_new(5), True),
        (Snapshot(7, "m7", ()), False),
        (Reset(7, "m7", 3, "r3"), True),
        (
            Snapshot(2, "m2", ()),
            False,
        ),  # an old answer, that somebody kept: asking from where we stand is better
    ]
    seen = [copy.wants_all]
    for event, _ in events:
        copy.take(event, 1_000, at(1_000))
        seen.append(copy.wants_all)
    assert seen == [True, *(wants_all for _, wants_all in events)]


def test_a_reset_makes_nothing_younger() -> None:
    copy = started()
    assert copy.take(Reset(0, "m0", 0, "r0"), 1_020.5, at(1_020.5))
    assert copy.age(1_020.5) == 20


class Issuer:
    """One history after the other; `marks[n]` names the list as it was at n."""

    def __init__(self) -> None:
        self.born = 0
        self.entries: list[Entry] = []
        self.marks = ["m0"]

    def revoke(self, value: str) -> None:
        self.entries.append(Entry(Kind.SID, value, 1_000_000))
        self.born += 1
        self.marks.append(f"m{self.born}")

    def restore(self, sequence: int) -> None:
        """Back to an earlier day: what came later is lost, and what comes next has other marks."""
        self.entries, self.marks = self.entries[:sequence], self.marks[: sequence + 1]
        if sequence:
            self.born += 1
            self.marks[-1] = f"m{self.born}"

    def snapshot(self, lag: int = 0) -> Snapshot:
        end = max(0, len(self.entries) - lag)
        return Snapshot(end, self.marks[end], tuple(self.entries[:end]))

    def answer(self, position: Position | None, lag: int = 0) -> Event:
        end = max(0, len(self.entries) - lag)
        if position is None:
            return self.snapshot(lag)
        if position not in enumerate(self.marks):
            return Reset(*position, end, self.marks[end])
        since = position.sequence
        if since > end:  # it lags behind this reader
            return self.snapshot(lag)
        return Delta(since, position.mark, end, self.marks[end], tuple(self.entries[since:end]))


class CopyBehindANetwork(RuleBasedStateMachine):
    """Every answer that was ever made may come at any time, any number of times, in any order, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.issuer, self.copy = Issuer(), RevocationCopy()
        self.now = 1_000.5
        self.made: list[tuple[Event, float]] = []
        self.reset_at: set[Position] = set()
        self.newest = self.prompt_at = self.now
        self.slack = 0.0
        self.was_restored = False
        self.hear(self.issuer.snapshot(), self.now)

    @rule(value=st.sampled_from("abcdef"))
    def revoke(self, value: str) -> None:
        self.issuer.revoke(value)

    @rule(seconds=st.floats(0.0, 8.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(sequence=st.integers(0, 8))
    def restore(self, sequence: int) -> None:
        """It takes longer than clocks of nodes differ."""
        self.now += 11
        self.was_restored = True
        self.issuer.restore(min(sequence, len(self.issuer.entries)))

    @rule(lag=st.sampled_from([0, 0, 0, 1, 3]), whole=st.booleans(), is_lost=st.booleans())
    def ask(self, lag: int, whole: bool, is_lost: bool) -> None:
        event = self.issuer.snapshot(lag) if whole else self.issuer.answer(self.copy.position, lag)
        self.made.append((event, self.now))
        if not is_lost:
            self.hear(event, self.now)

    @precondition(lambda self: self.made)
    @rule(which=st.integers(0, 50), back=st.booleans())
    def replay(self, which: int, back: bool) -> None:
        self.hear(*self.made[-1 - which % len(self.made) if back else which % len(self.made)])

    @rule(sequence=st.integers(0, 9), mark=st.integers(0, 9))
    def replay_a_delta_from_elsewhere(self, sequence: int, mark: int) -> None:
        stood = self.copy.position
        if stood != (sequence, f"m{mark}"):
            self.hear(Delta(sequence, f"m{mark}", sequence + 1, "mx", ()), self.now)
            assert self.copy.position == stood

    def hear(self, event: Event, iat: float) -> None:
        stood, before = self.copy.position, self.hits()
        try:
            taken = self.copy.take(event, iat, at(self.now))
        except UnusableDocument:
            taken = False
        if not taken:
            assert (self.copy.position, self.hits()) == (stood, before)
            return
        if isinstance(event, Reset):
            self.reset_at.add(Position(event.since, event.since_mark))
            assert (self.copy.position, self.hits()) == (stood, before)
            return
        self.newest = max(self.newest, iat)
        self.prompt_at = self.now if iat == self.now else self.prompt_at
        self.slack = 0.05 * (self.now - self.prompt_at)  # clocks are forgiven that much
        assert self.copy.position is not None
        if stood is not None and self.copy.position.sequence < stood.sequence:
            assert stood in self.reset_at
        if stood is not None and not before <= self.hits():
            assert isinstance(event, Snapshot)
            assert self.was_restored

    def hits(self) -> set[str]:
        token = {"sub": "-", "client_id": "-", "jti": "-", "iat": 0}
        return {value for value in "abcdef" if self.copy.revocations.hit(token | {"sid": value}, "-")}

    @invariant()
    def the_age_is_never_less_than_that_of_the_newest_honest_word(self) -> None:
        age = self.copy.age(self.now)
        assert age is not None
        assert age >= self.now - self.newest - min(self.slack, SKEW) - 1.001  # iat may be whole

    @invariant()
    def two_honest_answers_are_enough(self) -> None:
        """A fresh issuer is asked as the source asks: from where we stand, and for everything if that did not do."""
        fresh = self.clone()
        for _ in range(2):
            whole = fresh.wants_all
            event = self.issuer.snapshot() if whole else self.issuer.answer(fresh.position)
            if fresh.take(event, self.now, at(self.now)) and not fresh.wants_all:
                break
            if not whole and fresh.take(self.issuer.snapshot(), self.now, at(self.now)):
                break
        token = {"sub": "-", "client_id": "-", "jti": "-", "iat": 0}
        hits = {value for value in "abcdef" if fresh.revocations.hit(token | {"sid": value}, "-")}
        assert hits == {entry.value for entry in self.issuer.entries}
        assert fresh.position == (len(self.issuer.entries), self.issuer.marks[-1])

    def clone(self) -> RevocationCopy:
        from copy import deepcopy

        return deepcopy(self.copy)


TestCopyBehindANetwork = CopyBehindANetwork.TestCase
TestCopyBehindANetwork.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
