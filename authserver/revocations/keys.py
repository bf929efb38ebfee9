"""A compromised key: out of the published keys and on the revocation list, in one transaction.

Taking the key out of the JWKS is not enough: a verifier that fetched it a minute ago goes on trusting it for
`max-age`. The `kid` on the list reaches it within a second, and refuses every token of that key, whatever it claims.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from authserver.keyring.rotation import Change, Rotation
from authserver.keyring.states import SigningKey
from authserver.protocol.revocation import Kind
from authserver.revocations import store

# Other entries go when the last token that we signed has expired. Whoever stole a key writes any `exp` they like, so
# this one stays until no verifier, however careless with its cache, can still hold a JWKS with the key in it.
LISTED_FOR: Final = timedelta(days=365)


def compromise(rotation: Rotation, key: SigningKey) -> Change:
    """Distrust a key at once; nothing happens to one that is distrusted already."""

    def put_on_list(db: Connection, change: Change) -> None:
        store.append(db, Kind.KID, key.kid, now=change.at, expires_at=change.at + LISTED_FOR)

    return rotation.compromise(key, put_on_list)
