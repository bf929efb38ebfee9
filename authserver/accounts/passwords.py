"""NIST 800-63B-4 §3.1.1: which passwords may be set, and the one form in which they are set and verified.

`prepare` is for both, so that what was set on one keyboard can be typed on another: RFC 8265 OpaqueString, which is
NFC (an `é` is one thing however a phone sends it) and one kind of space. Nothing is cut off, trimmed or changed in
case. Text that may not reach a hash (50 MB of it, half characters, controls) is refused before any work.

`PasswordRules.refuse` is for setting only. It asks for length and that the password is not what everybody tries
first. It knows nothing of "one digit, one symbol" and nothing of age: both make passwords worse.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final, NewType

from authserver.accounts.blocklist import Blocklist
from authserver.accounts.blocklist.guessing import SHORTEST_WORD, fold

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

Password = NewType("Password", str)

MAXIMUM_BYTES: Final = 4_096  # of what is typed; NIST asks for at least 64 characters
LEAST_WORTH: Final = 8  # parts nobody can guess: NIST's shortest password, had it been random
WORDS: Final = re.compile(r"[^\W_]+")


class BadText(StrEnum):
    """Why a text can be nobody's password, in words for the person who typed it."""

    EMPTY = "Enter a password."
    TOO_LONG = "A password has at most 4096 bytes."
    CHARACTER = "This password has an invisible character, or one that is not in Unicode yet."


class UnacceptablePassword(ValueError):
    """The text can be nobody's password; `reason` may be shown."""

    def __init__(self, reason: BadText) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Weakness(StrEnum):
    """Why a password may not be set."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_COMMON = "too_common"
    CONTAINS_NAME = "contains_name"
    CONTAINS_SERVICE = "contains_service"


def prepare(text: str) -> Password:
    """Answer the form of a typed password that is hashed.

    :raises UnacceptablePassword: no account has or can have such a password.
    """
    if not text:
        raise UnacceptablePassword(BadText.EMPTY)
    if len(text) > MAXIMUM_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAXIMUM_BYTES:
        raise UnacceptablePassword(BadText.TOO_LONG)
    try:
        prepared: str = _profile().enforce(text)
    except UnicodeEncodeError:
        raise UnacceptablePassword(
            BadText.CHARACTER
        ) from None  # the library's message has the password in it
    return Password(prepared)


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """What a new password has to be; a length is counted in code points."""

    minimum_length: int
    maximum_length: int = 1_024
    blocklist: Blocklist = field(default_factory=Blocklist)

    def refuse(self, password: Password, *, username: str, context_words: Iterable[str]) -> Weakness | None:
        """Say why the password may not be set, or None.

        :param username: as canonical; whoever attacks the account knows it.
        :param context_words: the names of the service and its organisation, which everybody knows.
        """
        if len(password) < self.minimum_length:
            return Weakness.TOO_SHORT
        if len(password) > self.maximum_length:
            return Weakness.TOO_LONG
        return self._guessable(password, _parts([username]), _parts(context_words))

    def _guessable(self, password: Password, name: set[str], service: set[str]) -> Weakness | None:
        """Judge the password as a stranger would guess it, then as who knows the user, then the service too."""
        text = fold(password)
        known: set[str] = set()
        if self._worthless(text, known):
            return Weakness.TOO_COMMON
        for words, weakness in ((name, Weakness.CONTAINS_NAME), (service, Weakness.CONTAINS_SERVICE)):
            found = {word for word in words if word in text}
            known |= found
            if found and self._worthless(text, known):
                return weakness
        return None

    def _worthless(self, text: str, known: set[str]) -> bool:
        return self.blocklist.worth(text, known, LEAST_WORTH) < LEAST_WORTH


def _parts(names: Iterable[str]) -> set[str]:
    """`alice.liddell@example.com`: the whole, and each of its words."""
    whole = [*names]
    words = [word for name in whole for word in WORDS.findall(name)]
    return {part for part in map(fold, whole + words) if len(part) >= SHORTEST_WORD}


@cache
def _profile() -> "Profile":
    from precis_i18n import get_profile  # noqa: PLC0415 - its tables are built by the first sign-in

    return get_profile("OpaqueString")
