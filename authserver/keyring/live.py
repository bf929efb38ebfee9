"""The keyring as a running server holds it in memory: current within a second, and honest about its age.

A server that cannot reach the database goes on publishing what it knows, but stops signing after half the clock
skew: it could not know that its key was retired or compromised, and the arithmetic of `states.py` counts on that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc.errors import JoseError
from sqlalchemy import Connection

from authserver.clock import Clock
from authserver.database import Database
from authserver.keyring import store
from authserver.keyring.signer import Signer, signer_from
from authserver.keyring.states import SIGNABLE, Ring, SigningKey, State
from authserver.keyring.vault import PrivateKeyMissing, Vault
from authserver.logs import get_logger

log = get_logger("authserver.keyring")


class CannotSign(Exception):
    """No key may sign now: there is none yet, or the keyring could not be confirmed in time."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent view; replaced as a whole, so a reader never sees half a rotation."""

    versions: store.Versions
    rings: tuple[Ring, ...]
    signers: dict[str, Signer]  # by kid: the active keys, and the next ones, ready to take over

    @property
    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The JWK Set (RFC 7517 §5): the public half of every key that is next, active or retired."""
        keys = [dict(key.public_jwk) for ring in self.rings for key in ring.published]
        return {"keys": sorted(keys, key=lambda key: str(key["kid"]))}


class LiveKeyring:
    """Follows the keyring by its version numbers."""

    def __init__(self, database: Database, vault: Vault, clock: Clock, clock_skew: timedelta) -> None:
        self.snapshot = Snapshot((), (), {})
        self._database = database
        self._vault = vault
        self._clock = clock
        self._trust = clock_skew.total_seconds() / 2
        self._confirmed_at = clock.monotonic() - self._trust - 1
        self._listeners: list[Callable[[Snapshot], None]] = []

    def on_change(self, listener: Callable[[Snapshot], None]) -> None:
        """Call `listener` with each new snapshot, and with today's."""
        self._listeners.append(listener)
        listener(self.snapshot)

    def refresh(self) -> bool:
        """Look for a change; load it if there is one, and say so.

        :raises DatabaseUnavailable: the last good snapshot stays.
        :raises PrivateKeyMissing: as above.
        """
        asked_at = self._clock.monotonic()
        changed = self._database.read(self._load_if_changed)
        self._confirmed_at = asked_at
        if changed is not None:
            self.snapshot = changed
            for listener in self._listeners:
                listener(changed)
        return changed is not None

    def confirmed_within(self, seconds: float) -> bool:
        return self._clock.monotonic() - self._confirmed_at <= seconds

    def signer(self, algorithm: str) -> Signer:
        """Answer the one key that signs now.

        :raises CannotSign: see the class.
        """
        if not self.confirmed_within(self._trust):
            raise CannotSign("the keyring was not confirmed in time: the database does not answer")
        for ring in self.snapshot.rings:
            if ring.algorithm == algorithm and ring.active is not None:
                return self.snapshot.signers[ring.active.kid]
        raise CannotSign(f"there is no {algorithm} key yet: run `authserver keys rotate`")

    def _load_if_changed(self, db: Connection) -> Snapshot | None:
        versions = store.versions(db)
        if versions == self.snapshot.versions:
            return None
        rings = store.rings(db)
        wanted = [key for ring in rings for key in ring.keys if key.state in SIGNABLE]
        signers = {key.kid: signer for key in wanted if (signer := self._signer(db, key)) is not None}
        return Snapshot(tuple((ring.algorithm, ring.version) for ring in rings), rings, signers)

    def _signer(self, db: Connection, key: SigningKey) -> Signer | None:
        """Open a key. One that is only next, and cannot be opened, does not keep the active one from signing."""
        try:
            return self.snapshot.signers.get(key.kid) or self._load(db, key.kid)
        except PrivateKeyMissing as error:
            if key.state is State.ACTIVE:
                raise
            log.warning("the next signing key cannot be opened", cause=str(error))
            return None

    def _load(self, db: Connection, kid: str) -> Signer:
        private_jwk = self._vault.open(db, kid)
        try:
            return signer_from(private_jwk)
        except (JoseError, ValueError, KeyError, TypeError):
            raise PrivateKeyMissing(
                f"the private half of key {kid} is no key: restore it from a backup"
            ) from None
