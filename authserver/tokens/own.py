"""Reading our own access tokens back, by the same rules as any resource service: no shortcut for ourselves."""

from authserver.clock import Clock
from authserver.keyring.live import LiveKeyring, Snapshot
from authserver.resource.keys import PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.verifier import Verifier


class OwnTokens:
    """Verifies tokens of the token cookie with the published keys."""

    def __init__(self, keyring: LiveKeyring, verifier: Verifier, clock: Clock) -> None:
        self._verifier = verifier
        self._clock = clock
        keyring.on_change(self._follow)

    def read(self, token: str) -> Principal | None:
        """Answer whose token this is, None if it is not good. The revocation list is not asked."""
        verdict = self._verifier.verify(token, keys=self._keys, now=self._clock.now().timestamp())
        return verdict if isinstance(verdict, Principal) else None

    def _follow(self, snapshot: Snapshot) -> None:
        self._keys = PublicKeys.from_jwks(snapshot.jwks)
