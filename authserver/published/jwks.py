"""GET /.well-known/jwks.json: the public half of every key that a living token may need (RFC 7517 §5).

`max-age` is the number that the rotation arithmetic counts with, so a verifier that obeys it can never meet a token
of a key that it does not have. `stale-if-error` lets caches go on while we are away: no key that they hold has become
wrong by that, except a compromised one, and that one stands on the revocation feed.
"""

from datetime import timedelta

from authserver.keyring.live import Snapshot
from authserver.protocol.media import JWK_SET
from authserver.published.documents import Document, json_document, unavailable


def jwks_document(snapshot: Snapshot, max_age: timedelta) -> Document:
    """Build the document; 503 while there is no key at all (a verifier must not learn an empty set)."""
    if not snapshot.rings:
        return unavailable("There is no signing key yet.")
    seconds = int(max_age.total_seconds())
    return json_document(snapshot.jwks, JWK_SET, f"public, max-age={seconds}, stale-if-error=86400")
