import tracemalloc

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from authserver.protocol.revocation import WITH_CUTOFF, Kind
from authserver.resource.revocation_set import Delta, Entry, RevocationSet, Snapshot

LATER = 10_000


def claims(**members: object) -> dict[str, object]:
    return {"sub": "s", "client_id": "c", "jti": "j", "iat": 100, **members}


def listing(*entries: Entry, epoch: str = "e", sequence: int = 5) -> RevocationSet:
    revocations = RevocationSet()
    assert revocations.replace(Snapshot(epoch, sequence, entries))
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
    assert revocations.extend(Delta("e", 5, 6, (Entry(Kind.JTI, "j", 1200),)))
    revocations.forget(700)
    assert revocations.hit(claims(), "k") is not None
    revocations.forget(1200)
    assert len(revocations) == 0


def test_a_delta_that_does_not_continue_the_list_is_refused_and_changes_nothing() -> None:
    entry = (Entry(Kind.JTI, "j", 600),)
    for delta in (
        Delta("e", 4, 6, entry),
        Delta("e", 6, 7, entry),
        Delta("other", 5, 6, entry),
        Delta("e", 5, 4, entry),
    ):
        revocations = listing()
        assert not revocations.extend(delta)
        assert revocations.sequence == 5
        assert revocations.hit(claims(), "k") is None


def test_a_delta_before_any_snapshot_is_refused() -> None:
    assert not RevocationSet().extend(Delta("e", 0, 1, ()))


def test_an_older_snapshot_is_refused_so_that_nobody_comes_back() -> None:
    revocations = listing(Entry(Kind.JTI, "j", 600))
    assert not revocations.replace(Snapshot("e", 4, ()))
    assert revocations.hit(claims(), "k") is not None


def test_a_snapshot_of_another_epoch_replaces_everything() -> None:
    revocations = listing(Entry(Kind.JTI, "j", 600))
    assert revocations.replace(Snapshot("restored", 1, ()))
    assert (revocations.epoch, revocations.sequence, len(revocations)) == ("restored", 1, 0)


def test_an_entry_takes_less_than_two_hundred_bytes() -> None:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        revocations = RevocationSet()
        revocations.replace(
            Snapshot("e", 1, tuple(Entry(Kind.SID, f"{n:022d}", n % 3600) for n in range(20_000)))
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
        assert self.revocations.replace(Snapshot("e", self.sequence, tuple(found)))
        self.model, self.known = found, True

    @rule(found=st.lists(entries(), max_size=5), lag=st.integers(0, 2))
    def extend(self, found: list[Entry], lag: int) -> None:
        delta = Delta("e", self.sequence - lag, self.sequence + len(found), tuple(found))
        taken = self.revocations.extend(delta)
        assert taken is (self.known and lag == 0)
        if taken:
            self.model = self.model + found
            self.sequence += len(found)

    @rule(found=st.lists(entries(), max_size=5))
    def replay(self, found: list[Entry]) -> None:
        older = Snapshot("e", self.sequence - 1, tuple(found))
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
