"""Password hashes: Argon2id (RFC 9106), and the same work for an account that does not exist.

The attack beyond guessing is *asking who has an account*: if an unknown name is answered without hashing, the answer
comes 20 ms early. So every verification computes one hash, if need be against a decoy of the current parameters. The
decoy is no hash of anything; it is a made-up string that nobody's password yields, and its match would not count.

One thing remains visible: an account whose hash still has older, cheaper parameters is answered sooner until its owner
signs in again (`Verdict.upgrade`).
"""

import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from argon2.exceptions import VerificationError, VerifyMismatchError
from argon2.low_level import Type, hash_secret, verify_secret

from authserver.accounts.passwords import Password

SALT_BYTES: Final = 16
HASH_BYTES: Final = 32

MOST_LANES: Final = 16
MOST_MEMORY_KIB: Final = 1_048_576
MOST_ITERATIONS: Final = 32

STORED: Final = re.compile(
    r"\$argon2id\$v=19"
    r"\$m=([1-9][0-9]{0,6}),t=([1-9][0-9]?),p=([1-9][0-9]?)"
    r"\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{16,86}",
    re.ASCII,
)

VerifySecret = Callable[[bytes, bytes, Type], bool]


@dataclass(frozen=True, slots=True)
class Parameters:
    """What one hash costs. The defaults are OWASP's: 19 MiB, two passes, one lane."""

    memory_kib: int = 19_456
    iterations: int = 2
    lanes: int = 1

    def __post_init__(self) -> None:
        """Refuse what Argon2 cannot do, and what would let one stored hash exhaust the machine."""
        if not 1 <= self.lanes <= MOST_LANES:
            raise ValueError(f"Argon2 runs in 1 to {MOST_LANES} lanes here")
        if not 8 * self.lanes <= self.memory_kib <= MOST_MEMORY_KIB:
            raise ValueError(f"Argon2 takes 8 KiB for each lane, and at most {MOST_MEMORY_KIB} KiB here")
        if not 1 <= self.iterations <= MOST_ITERATIONS:
            raise ValueError(f"Argon2 makes 1 to {MOST_ITERATIONS} iterations here")

    @property
    def work(self) -> int:
        """How much memory is written in all: what a guess costs whoever makes it."""
        return self.memory_kib * self.iterations


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the password is the right one, and whether its stored hash should be made anew."""

    match: bool
    upgrade: bool = False


class PasswordHasher:
    """Makes and checks password hashes; a call takes one core for some 20 ms and lets other threads run."""

    def __init__(self, parameters: Parameters, verify: VerifySecret = verify_secret) -> None:
        self.parameters = parameters
        self._verify = verify
        self._decoy = _decoy(parameters)

    def hash(self, password: Password) -> str:
        """Make the PHC string to store."""
        now = self.parameters
        encoded = hash_secret(
            secret=password.encode(),
            salt=secrets.token_bytes(SALT_BYTES),
            time_cost=now.iterations,
            memory_cost=now.memory_kib,
            parallelism=now.lanes,
            hash_len=HASH_BYTES,
            type=Type.ID,
        )
        return encoded.decode("ascii")

    def verify(self, password: Password, stored: str | None) -> Verdict:
        """Compare with what is stored; `None`, corrupt and foreign hashes cost the same and match nothing.

        :raises VerificationError: Argon2 could not work at all (no memory): not a wrong password.
        """
        made_with = _read(stored)
        if stored is None or made_with is None:
            return self._pretend(password)
        try:
            self._verify(stored.encode("ascii"), password.encode(), Type.ID)
        except VerifyMismatchError:
            return Verdict(match=False)
        except VerificationError:  # found corrupt before any work was done
            return self._pretend(password)
        return Verdict(match=True, upgrade=made_with.work < self.parameters.work)

    def _pretend(self, password: Password) -> Verdict:
        with suppress(VerifyMismatchError):
            self._verify(self._decoy, password.encode(), Type.ID)
        return Verdict(match=False)


def _read(stored: str | None) -> Parameters | None:
    """Answer what a stored hash was made with, or None if it is not one of ours.

    The whole string is looked at: Argon2 itself would stop at a NUL and ignore what follows.
    """
    found = STORED.fullmatch(stored or "")
    if found is None:
        return None
    memory_kib, iterations, lanes = map(int, found.groups())
    try:
        return Parameters(memory_kib, iterations, lanes)
    except ValueError:
        return None


def _decoy(parameters: Parameters) -> bytes:
    salt, digest = (b64encode(bytes(size)).rstrip(b"=").decode() for size in (SALT_BYTES, HASH_BYTES))
    cost = f"m={parameters.memory_kib},t={parameters.iterations},p={parameters.lanes}"
    return f"$argon2id$v=19${cost}${salt}${digest}".encode()
