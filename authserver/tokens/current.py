"""Is this access token good at this moment? The rules of any resource service, with the keys and the list of this process.

Nothing here asks the database: while it is away, what was known last goes on counting (a logout is written there, so
nobody can sign out meanwhile; `resource/freshness.py` has the argument). Without any key or any list there is no
answer, and nobody is let in.
"""

from typing import Final

from authserver.clock import Clock
from authserver.keyring.live import LiveKeyring, Snapshot
from authserver.resource.keys import PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.verifier import ANY_KEY, Verifier, unless_lost
from authserver.revocations.index import RevocationIndex

MOST_AUDIENCES: Final = (
    8  # whose verified tokens are remembered; more cost a verification of the signature each time
)
REMEMBERED: Final = 1_024

Audience = str | tuple[str, ...]


class CurrentTokens:
    """Verifies access tokens for any audience, the revocation list included."""

    def __init__(self, keyring: LiveKeyring, revocations: RevocationIndex, issuer: str, clock: Clock) -> None:
        self._issuer = issuer
        self._revocations = revocations
        self._clock = clock
        self._verifiers: dict[Audience, Verifier] = {}
        keyring.on_change(self._follow)

    def read(self, token: str, audience: Audience, thumbprint: str | None = None) -> Principal | Refusal:
        """Answer whose token this is, or why it is refused; of several audiences one has to fit.

        `thumbprint` of the key that came with it, or ANY_KEY where the token is only looked at.
        """
        listed = self._revocations.current()
        if listed is None or not self._keys:
            return Refusal(Reason.UNAVAILABLE, "no keys or no revocation list yet")
        now = self._clock.now().timestamp()
        return self._verifier(audience).verify(
            token, keys=self._keys, now=now, revocations=listed, thumbprint=thumbprint
        )

    def confirm(self, principal: Principal) -> Principal | Refusal:
        """Answer whether a token that was verified just now still counts, whoever holds it."""
        listed = self._revocations.current()
        if listed is None:
            return Refusal(Reason.UNAVAILABLE, "no revocation list yet")
        return unless_lost(principal, ANY_KEY, listed)

    def _verifier(self, audience: Audience) -> Verifier:
        found = self._verifiers.get(audience)
        if found is None:
            while len(self._verifiers) >= MOST_AUDIENCES:
                self._verifiers.pop(next(iter(self._verifiers)))
            found = self._verifiers[audience] = Verifier(self._issuer, audience, remember=REMEMBERED)
        return found

    def _follow(self, snapshot: Snapshot) -> None:
        self._keys = PublicKeys.from_jwks(snapshot.jwks)
