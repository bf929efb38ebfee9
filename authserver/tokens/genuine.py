"""Is this an access token of ours that has not expired, whomever it is for? Asked by whoever may then do something to it.

The audience and the sender's key are not checked: the token is not used here. So the audience is read from the token
itself, and the rest is for the same strict verifier that every resource service has.
"""

from authserver.clock import Clock
from authserver.keyring.live import LiveKeyring, Snapshot
from authserver.resource.jws import MalformedToken, parse_compact, strict_json
from authserver.resource.keys import PublicKeys
from authserver.resource.principal import Principal
from authserver.resource.strict_json import MalformedJSON
from authserver.resource.verifier import ANY_KEY, verify


class GenuineTokens:
    """Verifies access tokens of this issuer."""

    def __init__(self, keyring: LiveKeyring, issuer: str, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        keyring.on_change(self._follow)

    def read(self, unverified_token: str) -> Principal | None:
        """Answer whose token it is; None for what is no living access token of ours. The list is not asked."""
        audience = _unverified_audience(unverified_token)
        if audience is None:
            return None
        now = self._clock.now().timestamp()
        verdict = verify(
            unverified_token,
            keys=self._keys,
            issuer=self._issuer,
            audience=audience,
            now=now,
            thumbprint=ANY_KEY,
        )
        return verdict if isinstance(verdict, Principal) else None

    def _follow(self, snapshot: Snapshot) -> None:
        self._keys = PublicKeys.from_jwks(snapshot.jwks)


def _unverified_audience(unverified_token: str) -> str | list[str] | None:
    try:
        unverified_claims = strict_json(parse_compact(unverified_token).unverified_payload)
    except (MalformedToken, MalformedJSON):
        return None
    audience = unverified_claims.get("aud")
    if isinstance(audience, str):
        return audience
    several = isinstance(audience, list) and audience and all(isinstance(each, str) for each in audience)
    return audience if several else None
