"""Changing a ring: one transaction under the ring's lock, whoever asks and however many ask at once.

The order that makes a crash harmless, at every point:

1. make new key pairs, before the lock (slow, and wasted if another was faster);
2. take the lock, look again, decide (`states.py`);
3. write the private halves and flush them;  a crash here leaves files without rows
4. write the rows and commit;                 a crash here leaves the private halves of retired keys
5. under the lock again, delete every private key that no row needs.

The next start, or the next round of maintenance, does step 5 for whoever did not get there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from sqlalchemy import Connection

from authserver.audit.store import Actor, Entry, record
from authserver.clock import Clock
from authserver.database import Database
from authserver.keyring import store
from authserver.keyring.generation import Generate, NewKey
from authserver.keyring.states import SIGNABLE, Ring, SigningKey, State, Timing
from authserver.keyring.vault import Vault

Edit = Callable[[Ring, datetime], Ring]
Also = Callable[[Connection, "Change"], None]

EVENTS: Final = {
    State.NEXT: "key.published",
    State.ACTIVE: "key.activated",
    State.RETIRED: "key.retired",
    State.REMOVED: "key.removed",
    State.COMPROMISED: "key.compromised",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A ring before and after; equal rings when there was nothing to do."""

    before: Ring
    after: Ring
    at: datetime

    @property
    def moved(self) -> tuple[SigningKey, ...]:
        """The keys that have a new state."""
        states = {key.kid: key.state for key in self.before.keys}
        return tuple(key for key in self.after.keys if states.get(key.kid) is not key.state)

    @property
    def happened(self) -> bool:
        return self.before != self.after


class Rotation:
    """Every change to the keyring goes through here."""

    def __init__(
        self, database: Database, vault: Vault, generate: Generate, timing: Timing, clock: Clock
    ) -> None:
        self.timing = timing
        self._database = database
        self._vault = vault
        self._generate = generate
        self._clock = clock

    def rotate(self, algorithm: str, actor: Actor = "operator") -> Change:
        """Promote the next key: now where that is safe, else at the first moment that is."""
        return self.change(algorithm, self._asked, actor)

    def promote(self, key: SigningKey) -> Change:
        """Promote this key and no other, now or not at all: for whoever waited, while others may have rotated."""

        def edit(ring: Ring, now: datetime) -> Ring:
            waiting = ring.next is not None and ring.next.kid == key.kid
            return ring.promoted(now) if waiting and key.sign_not_before(self.timing) <= now else ring

        return self.change(key.algorithm, edit, "operator")

    def keep(self, algorithms: Iterable[str]) -> list[Change]:
        """Do what is due, give each ring its keys, and clear up after crashes. Safe to call at any time."""
        changes = [self.change(algorithm, self._due, "server") for algorithm in algorithms]
        self._database.write(self._tidy)
        return changes

    def compromise(self, key: SigningKey, also: Also) -> Change:
        """Distrust a key and sign with the next at once; `also` writes what must be true together with that."""
        return self.change(key.algorithm, lambda ring, now: ring.compromise(key.kid, now), "operator", also)

    def preview(self, algorithm: str, edit: Edit | None = None) -> Change:
        """Say what a change would do, and change nothing. The kid of a new key is not known before it is made."""
        now = self._clock.now()
        before = self._database.read(lambda db: store.ring(db, algorithm))
        return Change(before, (edit or self._asked)(before, now), now)

    def rewrap(self) -> list[str]:
        """Seal every private key with the current key-encryption key, and say which were not."""
        return self._database.write(self._rewrap)

    def change(self, algorithm: str, edit: Edit, actor: Actor, also: Also | None = None) -> Change:
        """Apply one edit; new keys are made first, outside the lock, as many as it will take."""
        spare: list[NewKey] = []
        while True:
            now = self._clock.now()
            wanted = edit(self._database.read(lambda db: store.ring(db, algorithm)), now).wants()
            spare += [self._generate(algorithm, now) for _ in range(wanted - len(spare))]
            step = partial(self._apply, algorithm=algorithm, edit=edit, actor=actor, also=also, spare=spare)
            done = self._database.write(step)
            if done is not None:
                return done

    def _apply(
        self, db: Connection, algorithm: str, edit: Edit, actor: Actor, also: Also | None, spare: list[NewKey]
    ) -> Change | None:
        """Answer None when the ring changed meanwhile and now takes more new keys than were made."""
        before, now = store.locked_ring(db, algorithm), self._clock.now()
        edited = edit(before, now)
        used = spare[: edited.wants()]
        if len(used) < edited.wants():
            return None
        after = edited.fill([new.key for new in used], now)
        if after == before:
            return Change(before, before, now)
        self._vault.claim(db)
        if also is None:
            self._refuse_to_lock_others_out(db, edited)
        for new in used:
            self._vault.put(db, new.key.kid, new.private_jwk)
        change = Change(before, store.save(db, before, after), now)
        if also is not None:
            also(db, change)
        self._record(db, change, actor)
        return change

    def _refuse_to_lock_others_out(self, db: Connection, ring: Ring) -> None:
        """A key that we seal must be one that the other servers can open: whoever cannot open theirs, seals none.

        An emergency may: it is the way out when a private key is lost.

        :raises PrivateKeyMissing: with what to do.
        """
        for key in ring.keys:
            if key.state in SIGNABLE:
                self._vault.open(db, key.kid)

    def _record(self, db: Connection, change: Change, actor: Actor) -> None:
        for key in change.moved:
            detail = {"kid": key.kid, "algorithm": key.algorithm}
            record(db, Entry(EVENTS[key.state], change.at, actor, detail=detail))
        asked = change.after.promote_at
        if asked and asked != change.before.promote_at:
            detail = {"algorithm": change.after.algorithm, "at": asked.isoformat()}
            record(db, Entry("key.rotation_scheduled", change.at, actor, detail=detail))

    def _tidy(self, db: Connection) -> None:
        self._vault.claim(db)
        self._vault.keep_only(db, {key.kid for key in self._signable(db)})

    def _rewrap(self, db: Connection) -> list[str]:
        changed = [key.kid for key in self._signable(db) if self._vault.rewrap(db, key.kid)]
        if changed:
            record(db, Entry("key.rewrapped", self._clock.now(), "operator", detail={"kids": changed}))
        return changed

    def _signable(self, db: Connection) -> list[SigningKey]:
        """Read every key that may sign now or next, with all rings locked."""
        names = [algorithm for algorithm, _ in store.versions(db)]
        return [key for name in names for key in store.locked_ring(db, name).keys if key.state in SIGNABLE]

    def _asked(self, ring: Ring, now: datetime) -> Ring:
        return ring.request(now, self.timing).advance(now, self.timing)

    def _due(self, ring: Ring, now: datetime) -> Ring:
        return ring.advance(now, self.timing)
