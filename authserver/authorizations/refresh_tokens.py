"""Refresh tokens: rotated at each use, and a stolen one found out without remembering every one that there was.

    <grant id>.<secret>.<seal>

Of a family, the row keeps the hash of the secret that is good, of the one before it, and a key:

* `seal` = HMAC(key, secret): we made this secret for this family. Whoever only knows the grant id, which stands in
  every access token, can end nobody's family with an invented token; whoever shows an old one that is sealed can.
* The next secret = HMAC(key, secret, "next"): a repeat within `REPEAT` seconds gets the very same successor, on any
  server, and of a hundred that refresh at once all hold the same token (RFC 9700 §4.14.2 asks for rotation; a phone
  that lost the answer on the way should not be signed out for it).

Who steals the table holds hashes and keys: nothing that opens. Who steals a token and the table can follow the family.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from authserver.opaque import SecretHash, hash_secret, new_secret

REPEAT: Final = timedelta(seconds=30)
_PARTS: Final = 3
_SEAL: Final = 16
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Unverified:
    """A string in the form of a refresh token."""

    grant_id: str
    secret: str
    seal: str


@dataclass(frozen=True, slots=True)
class Family:
    """What makes and knows the refresh tokens of one authorization."""

    grant_id: str
    key: bytes

    @classmethod
    def begin(cls, grant_id: str) -> "tuple[Family, str]":
        """Make a family and its first secret."""
        return cls(grant_id, secrets.token_bytes(32)), new_secret()

    def token(self, secret: str) -> str:
        return f"{self.grant_id}.{secret}.{self._seal(secret)}"

    def made(self, shown: Unverified) -> bool:
        """Whether we made this token once."""
        return hmac.compare_digest(shown.seal.encode(), self._seal(shown.secret).encode())

    def next_secret(self, secret: str) -> str:
        return _text(hmac.digest(self.key, f"next {secret}".encode(), "sha256"))

    def _seal(self, secret: str) -> str:
        return _text(hmac.digest(self.key, f"seal {secret}".encode(), "sha256")[:_SEAL])


def parse(token: str) -> Unverified | None:
    """Take a refresh token apart; None for what cannot be one."""
    parts = token.split(".") if len(token) <= _LONGEST and token.isascii() else []
    return Unverified(*parts) if len(parts) == _PARTS and all(parts) else None


def is_hash_of(kept: bytes | None, secret: str) -> bool:
    return kept is not None and hmac.compare_digest(kept, hash_secret(secret))


def hashed(secret: str) -> SecretHash:
    return hash_secret(secret)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
