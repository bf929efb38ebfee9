import tracemalloc

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from authserver.protocol.revocation import WITH_CUTOFF, Kind
from authserver.resource.revocation_set import Delta, Entry, Position, Reset, RevocationSet, Snapshot

LATER = 10_000


def claims(**members: object) -> dict[str, object]:
    return {"sub": "s", "client_id": "c", "jti": "j", "iat": 100, **members}


def listing(*entries: Entry, mark: str = "m5", sequence: int = 5) -> RevocationSet:
    revocations = RevocationSet()
    assert revocations.replace(Snapshot(sequence, mark, entries))
    return revocations


def test_a_hit_says_which_entry_it_was() -> None:
    hit = listing(Entry(Kind.SID, "x", 600)).hit(claims(sid="x"), "k")
    assert hit == Entry(Kind.SID, "x", 600)


def test_a_token_without_a_session_is_not_hit_by_sessions() -> None:
    assert listing(Entry(Kind.SID, "x", 600)).hit(claims(), "k") is None


def test_a_cutoff_ends_the_tokens_issued_before_it() -> None:
    revocations = listing(Entry(Kind.SUB, "s", LATER, 100))
    assert revocations.hit(claims(iat=99), "k") is not None
    assert revocations.hit(claims(iat=99.9), "k") is not None
    assert revocations.hit(claims(iat=100), "k") is None


def test_of_two_cutoffs_the_later_one_holds_in_any_order() -> None:
    early, late = Entry(Kind.SUB, "s", 600, 50), Entry(Kind.SUB, "s", LATER, 150)
    for entries in ((early, late), (late, early)):
        revocations = listing(*entries)
        assert revocations.hit(claims(), "k") is not None
        revocations.forget(700)
        assert revocations.hit(claims(), "k") is not None


def test_a_session_cutoff_does_not_hide_the_clients() -> None:
    revocations = listing(Entry(Kind.SUB, "s", LATER, 50), Entry(Kind.CLIENT_ID, "c", LATER, 150))
    hit = revocations.hit(claims(), "k")
    assert hit is not None
    assert hit.kind is Kind.CLIENT_ID


def test_entries_are_forgotten_after_their_expiry_and_not_before() -> None:
    revocations = listing(Entry(Kind.JTI, "j", 601), Entry(Kind.KID, "k", 601))
    revocations.forget(601)
    assert revocations.hit(claims(), "x") is not None
    assert revocations.kids == {"k"}
    revocations.forget(660)
    assert revocations.hit(claims(), "k") is None
    assert not revocations.kids
    assert len(revocations) == 0


def test_an_entry_revoked_again_lives_until_the_later_expiry() -> None:
    revocations = listing(Entry(Kind.JTI, "j", 600))
    assert revocations.extend(Delta(5, "m5", 6, "m6", (Entry(Kind.JTI, "j", 1200),)))
    revocations.forget(700)
    assert revocations.hit(claims(), "k") is not None
    revocations.forget(1200)
    assert len(revocations) == 0


def test_a_delta_that_does_not_continue_the_list_is_refused_and_changes_nothing() -> None:
    entry = (Entry(Kind.JTI, "j", 600),)
    for delta in (
        Delta(4, "m4", 6, "m6", entry),
        Delta(6, "m6", 7, "m7", entry),
        Delta(5, "other", 6, "m6", entry),
        Delta(5, "m5", 4, "m4", entry),
    ):
        revocations = listing()
        assert not revocations.extend(delta)
        assert revocations.position == Position(5, "m5")
        assert revocations.hit(claims(), "k") is None


def test_a_delta_before_any_snapshot_is_refused() -> None:
    assert not RevocationSet().extend(Delta(0, "m0", 1, "m1", ()))


def test_an_older_snapshot_is_refused_so_that_nobody_comes_back() -> None:
    revocations = listing(Entry(Kind.JTI, "j", 600))
    assert not revocations.replace(Snapshot(4, "m4", ()))
    assert revocations.hit(claims(), "k") is not None


def test_a_snapshot_of_another_history_at_the_same_sequence_replaces_everything() -> None:
    revocations = listing(Entry(Kind.JTI, "j", 600))
    assert revocations.take(Snapshot(5, "restored", ()))
    assert (revocations.position, len(revocations)) == (Position(5, "restored"), 0)


def test_after_a_reset_of_our_position_an_older_snapshot_is_taken_and_until_then_nobody_comes_back() -> None:
    revocations = listing(Entry(Kind.JTI, "j", 600))
    assert revocations.take(Reset(5, "m5", 2, "r2"))
    assert revocations.hit(claims(), "k") is not None
    assert not revocations.take(Snapshot(1, "r1", ()))  # older than the history that said so
    assert revocations.take(Snapshot(2, "r2", ()))
    assert (revocations.position, len(revocations)) == (Position(2, "r2"), 0)


def test_a_reset_of_another_position_leads_nobody_back() -> None:
    for reset in (Reset(5, "other", 2, "r2"), Reset(4, "m5", 2, "r2"), Reset(6, "m5", 2, "r2")):
        revocations = listing(Entry(Kind.JTI, "j", 600))
        assert not revocations.take(reset)
        assert not revocations.take(Snapshot(2, "r2", ()))


def test_a_reset_ends_with_the_position_that_it_was_for() -> None:
    for onwards in (Delta(5, "m5", 6, "m6", ()), Snapshot(6, "m6", ()), Snapshot(5, "r5", ())):
        revocations = listing()
        assert revocations.take(Reset(5, "m5", 2, "r2"))
        assert revocations.take(onwards)
        assert not revocations.take(Snapshot(2, "r2", ()))


def test_a_reset_before_any_list_means_nothing() -> None:
    revocations = RevocationSet()
    assert not revocations.take(Reset(0, "m0", 0, "m0"))
    assert (revocations.sequence, revocations.mark) == (0, None)


def test_an_entry_takes_less_than_two_hundred_bytes() -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        revocations = RevocationSet()
        revocations.replace(
            Snapshot(1, "m1", tuple(Entry(Kind.SID, f"{n:022d}", n % 3600) for n in range(20_000)))
        )
        assert tracemalloc.get_traced_memory()[0] - before < 20_000 * 200
    finally:
        tracemalloc.stop()
    assert len(revocations) == 20_000


VALUES = st.sampled_from(["a", "b", "c"])


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from(Kind))
    before = draw(st.integers(0, 200)) if kind in WITH_CUTOFF else None
    return Entry(kind, draw(VALUES), draw(st.integers(1, 1_000)), before)


class ListBesideItsModel(RuleBasedStateMachine):
    """The list against a plain list of entries: what is alive must hit, what nobody revoked must not."""

    def __init__(self) -> None:
        super().__init__()
        self.revocations = RevocationSet()
        self.model: list[Entry] = []
        self.known = False
        self.sequence = 0
        self.now = 0

    @rule(found=st.lists(entries(), max_size=5), step=st.integers(0, 3))
    def replace(self, found: list[Entry], step: int) -> None:
        self.sequence += step
        assert self.revocations.replace(Snapshot(self.sequence, f"m{self.sequence}", tuple(found)))
        self.model, self.known = found, True

    @rule(found=st.lists(entries(), max_size=5), lag=st.integers(0, 2))
    def extend(self, found: list[Entry], lag: int) -> None:
        since, sequence = self.sequence - lag, self.sequence + len(found)
        delta = Delta(since, f"m{since}", sequence, f"m{sequence}", tuple(found))
        taken = self.revocations.extend(delta)
        assert taken is (self.known and lag == 0)
        if taken:
            self.model = self.model + found
            self.sequence += len(found)

    @rule(found=st.lists(entries(), max_size=5))
    def replay(self, found: list[Entry]) -> None:
        older = Snapshot(self.sequence - 1, f"m{self.sequence - 1}", tuple(found))
        if self.known:
            assert not self.revocations.replace(older)

    @rule(seconds=st.integers(0, 400))
    def forget(self, seconds: int) -> None:
        self.now += seconds
        self.revocations.forget(self.now)
        assert len(self.revocations) <= len({(e.kind, e.value) for e in self.model if e.exp + 60 > self.now})

    @invariant()
    def the_living_hit_and_the_others_do_not(self) -> None:
        for value in ("a", "b", "c"):
            for kind in Kind:
                for iat in (0, 150):
                    token = {"sub": "-", "client_id": "-", "jti": "-", "iat": iat} | {str(kind): value}
                    hit = self.revocations.hit(token, value if kind is Kind.KID else "-") is not None
                    concerned = [
                        entry
                        for entry in self.model
                        if (entry.kind, entry.value) == (kind, value)
                        and (entry.before is None or iat < entry.before)
                    ]
                    if any(entry.exp > self.now for entry in concerned):
                        assert hit
                    if not concerned:
                        assert not hit


TestListBesideItsModel = ListBesideItsModel.TestCase
TestListBesideItsModel.settings = settings(max_examples=25, stateful_step_count=10, deadline=None)
