"""Random identifiers and secrets, and the hash under which a secret is stored.

A secret here has 256 random bits, so a plain SHA-256 is as good as a password hash and a thousand times
cheaper (nothing shorter than 2^255 guesses finds it). Identifiers have 128 bits (ASVS 7.2.3).
"""

import hashlib
import secrets
from typing import NewType

Secret = NewType("Secret", str)
SecretHash = NewType("SecretHash", bytes)


def new_id() -> str:
    """Make an identifier: 22 characters of base64url, safe in a URL, a file name and a log line."""
    return secrets.token_urlsafe(16)


def new_secret() -> Secret:
    """Make a secret: 43 characters of base64url."""
    return Secret(secrets.token_urlsafe(32))


def hash_secret(secret: str) -> SecretHash:
    """Hash for storage and look-up; what is stored opens nothing. Hostile text hashes to something unknown."""
    return SecretHash(hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest())
