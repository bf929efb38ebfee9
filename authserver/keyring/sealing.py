"""Private keys at rest: a JWE of the private JWK (RFC 7517 §7), envelope encryption in the standard's own form.

A random content key encrypts the JWK (A256GCM), the key-encryption key wraps the content key (A256GCMKW), and the
JWE's `kid` says which key-encryption key that was, so `keys rewrap` can replace it one key at a time.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

WRAPPING = ["A256GCMKW", "A256GCM"]
NEEDED: Final = frozenset({"kty", "kid", "alg"})
DAMAGED: Final = "it was damaged or changed since it was written: restore it from a backup"


class CannotOpen(Exception):
    """A private key cannot be opened; the message says what to do."""


class Sealer:
    """Seals with one key-encryption key, opens with that or an older one. With none, keys stay in the clear."""

    def __init__(self, current: bytes | None, previous: tuple[bytes, ...] = ()) -> None:
        self._current = _oct_key(current) if current else None
        known = [key for key in (self._current, *map(_oct_key, previous)) if key is not None]
        self._known = {key.thumbprint(): key for key in known}

    def seal(self, private_jwk: Mapping[str, Any]) -> str:
        plain = json.dumps(private_jwk, separators=(",", ":"))
        if self._current is None:
            return plain
        header = {"alg": "A256GCMKW", "enc": "A256GCM", "kid": self._current.thumbprint(), "cty": "jwk+json"}
        return jwe.encrypt_compact(header, plain, self._current, algorithms=WRAPPING)

    def open(self, sealed: str) -> dict[str, Any]:
        """Open what `seal` made.

        :raises CannotOpen: no key-encryption key at hand fits, or the content was changed.
        """
        plain = sealed if sealed.startswith("{") else self._decrypt(sealed)
        try:
            found = json.loads(plain)
        except ValueError:
            raise CannotOpen(DAMAGED) from None
        if not isinstance(found, dict) or not found.keys() >= NEEDED:
            raise CannotOpen(DAMAGED)
        return found

    def _decrypt(self, sealed: str) -> str | bytes:
        key = self._known.get(self.sealed_with(sealed) or "")
        if key is None:
            raise CannotOpen(
                "it is encrypted with a key-encryption key that is not at hand: set key_encryption_key to the one it "
                "was written with, or put that one into previous_key_encryption_keys"
            )
        try:
            return jwe.decrypt_compact(sealed, key, algorithms=WRAPPING).plaintext or b""
        except (JoseError, ValueError):
            raise CannotOpen(DAMAGED) from None

    def sealed_with(self, sealed: str) -> str | None:
        """Answer the id of the key-encryption key, None for a key in the clear."""
        if sealed.startswith("{"):
            return None
        try:
            header = json.loads(_base64url(sealed.partition(".")[0]))
        except ValueError:
            return ""
        return str(header.get("kid", "")) if isinstance(header, dict) else ""

    def is_current(self, sealed: str) -> bool:
        """Say whether `seal` would use the same key-encryption key."""
        return self.sealed_with(sealed) == (self._current.thumbprint() if self._current else None)


def _oct_key(raw: bytes) -> OctKey:
    return OctKey.import_key(raw)


def _base64url(text: str) -> bytes:

    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
