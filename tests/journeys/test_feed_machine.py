"""The real list on a real database, two real servers that lag, and a guard's copy behind a network that does anything.

Whatever is lost, repeated, reordered or restarted, a guard never lets anybody back in who was signed out, unless the
database itself was restored to a day before; and when it hears an honest server in the end, it holds that list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, delete, insert, select

from authserver.database import Database
from authserver.keyring.live import LiveKeyring
from authserver.protocol.revocation import Kind
from authserver.published.readers import Position
from authserver.published.revocations import UNAVAILABLE, RevocationFeed
from authserver.resource.keys import PublicKeys
from authserver.resource.revocation_copy import Heard, RevocationCopy
from authserver.resource.revocation_document import UnusableDocument, issued_at, open_document, read_event
from authserver.revocations import store
from authserver.revocations.live import LiveRevocations
from authserver.revocations.models import revocation, revocation_head
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, MakeCapabilities

T = TypeVar("T")
SELDOM = st.sampled_from((False,) * 5 + (True,))
SERVER = st.sampled_from((0, 1))
Backup = tuple[list[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class World:
    """What is made once: a database, and a keyring that all servers have."""

    clock: HandClock
    database: Database
    keyring: LiveKeyring
    empty: Backup


class FeedMachine(RuleBasedStateMachine):
    world: World
    documents: Bundle[bytes] = Bundle("documents")

    @initialize()
    def begin(self) -> None:
        self.clock, self.database = self.world.clock, self.world.database
        self.database.write(lambda db: _restore(db, self.world.empty), flush=False)
        self.servers = [LiveRevocations(self.database, self.clock) for _ in range(2)]
        self.feeds = [RevocationFeed(ISSUER, "ES256", self.world.keyring, live) for live in self.servers]
        self.keys = PublicKeys.from_jwks(self.world.keyring.snapshot.jwks)
        self.copy = RevocationCopy()
        self.numbers = iter(range(10_000))
        self.must_refuse: set[str] = set()
        self.backup = self.world.empty
        self._later(1)

    @rule(server=SERVER)
    def somebody_signs_out(self, server: int) -> None:
        """At one server, which knows at once; the other lags."""
        now, value = self.clock.now(), f"session-{next(self.numbers)}"
        self._write(
            lambda db: store.append(db, Kind.SID, value, now=now, expires_at=now + timedelta(hours=1))
        )
        self.servers[server].refresh()

    @rule(server=SERVER)
    def a_server_looks(self, server: int) -> None:
        self.servers[server].refresh()

    @rule(target=documents, server=SERVER, whole=st.booleans())
    def the_guard_asks_and_the_answer_may_be_lost(
        self, server: int, whole: bool
    ) -> MultipleResults[bytes] | bytes:
        answer = self._ask(server, whole=whole)
        return multiple() if answer is None else answer

    @rule(document=documents)
    def an_answer_arrives_at_last_or_once_more(self, document: bytes) -> None:
        self._arrives(document)

    @rule(server=SERVER, times=st.sampled_from((2, 1, 3)))
    def the_guard_is_answered(self, server: int, times: int) -> None:
        for _ in range(times):
            answer = self._ask(server, whole=self.copy.wants_all)
            if answer is not None:
                self._arrives(answer)

    @rule(happens=SELDOM)
    def the_guards_process_restarts(self, happens: bool) -> None:
        if not happens:
            return
        self.copy, self.must_refuse = RevocationCopy(), set()

    @rule(happens=SELDOM)
    def time_goes_by(self, happens: bool) -> None:
        if happens:
            self._later(7)

    def _later(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.world.keyring.refresh()
        for server in self.servers:
            server.refresh()

    @rule()
    def a_backup_is_made(self) -> None:
        self.backup = self._write(_backed_up)

    @rule(happens=SELDOM)
    def the_database_is_restored(self, happens: bool) -> None:
        """Nobody restores a database in no time: clocks go on, and the servers look at it."""
        if not happens:
            return
        before, backup = set(self._listed()), self.backup
        self._write(lambda db: _restore(db, backup))
        self.must_refuse -= before - set(self._listed())
        self._later(20)

    @rule(happens=SELDOM)
    def in_the_end_it_holds_the_list(self, happens: bool) -> None:
        if not happens:
            return
        self._later(11)  # more than the nodes' clocks may differ: what came before is past
        for _ in range(4):
            answer = self._ask(0, whole=self.copy.wants_all)
            assert answer is not None
            self._arrives(answer)
        assert self._held() == set(self._listed())
        assert self.copy.age(self.clock.monotonic()) == 0

    @invariant()
    def who_was_signed_out_stays_so(self) -> None:
        if hasattr(self, "copy"):
            assert self.must_refuse <= self._held()

    def _ask(self, server: int, *, whole: bool) -> bytes | None:
        """As `published/delivery.py` answers: a reader who claims to know more makes the server look first."""
        held = self.copy.position
        position = None if whole or held is None else Position(held.sequence, held.mark)
        if self.feeds[server].is_ahead(position):
            self.servers[server].refresh()
        answer = self.feeds[server].tell(position).answer
        body: bytes = answer.whole[1]["body"]
        return None if answer is UNAVAILABLE else body

    def _arrives(self, document: bytes) -> None:
        moment, now = self.clock.monotonic(), self.clock.now().timestamp()
        claims = open_document(document, self.keys.get, ISSUER)
        try:
            self.copy.take(read_event(claims), issued_at(claims), Heard(moment, moment, now))
        except UnusableDocument:
            return
        self.must_refuse |= self._held() & set(self._listed())

    def _held(self) -> set[str]:
        return set(self.copy.revocations._tables.sids)

    def _listed(self) -> list[str]:
        now = self.clock.now()
        entries = self.database.read(lambda db: store.after(db, 0, store.head(db).sequence, now))
        return [entry.value for entry in entries]

    def _write(self, step: Callable[[Connection], T]) -> T:
        return self.database.write(step, flush=False)


def _backed_up(db: Connection) -> Backup:
    rows = [dict(row) for row in db.execute(select(revocation)).mappings()]
    return rows, dict(db.execute(select(revocation_head)).mappings().one())


def _restore(db: Connection, backup: Backup) -> None:
    rows, head = backup
    for table in (revocation, revocation_head):
        db.execute(delete(table))
    if rows:
        db.execute(insert(revocation), rows)
    db.execute(insert(revocation_head), head)


@pytest.fixture
def world(make_capabilities: MakeCapabilities, clock: HandClock) -> World:
    parts = make_capabilities(signing_algorithms=("ES256",))
    parts.rotation.keep(("ES256",))
    keyring = LiveKeyring(parts.database, parts.vault, clock, parts.settings.clock_skew)
    keyring.refresh()
    return World(clock, parts.database, keyring, parts.database.read(_backed_up))


@SQLITE_ONLY
def test_no_order_of_events_lets_anybody_back_in(world: World) -> None:
    machine = type("FeedMachine", (FeedMachine,), {"world": world})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=100, stateful_step_count=30, deadline=None)
    )
