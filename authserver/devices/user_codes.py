"""The code that a person reads on one screen and types at another (RFC 8628 §6.1).

Eight consonants: no vowels, so no words; no digits, which some keyboards hide. 20^8 is 34 bits. That is few, so guesses
are counted (deciding.py), and a code is good for minutes.
"""

import secrets
from typing import Final, NewType

UserCode = NewType("UserCode", str)  # canonical: eight letters, no dash

LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH: Final = 8
LONGEST_TYPED: Final = 64
BETWEEN: Final = "- \t\u2010\u2011\u2013"  # keyboards make other dashes of one


def new_user_code() -> UserCode:
    return UserCode("".join(secrets.choice(LETTERS) for _ in range(LENGTH)))


def shown(code: UserCode) -> str:
    """Write a code as people see it: `BCDF-GHJK`."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def typed(unverified_text: str) -> UserCode | None:
    """Read what somebody typed, in small letters or without the dash; None for what is no code (RFC 8628 §6.1)."""
    if len(unverified_text) > LONGEST_TYPED:
        return None
    letters = "".join(char for char in unverified_text if char not in BETWEEN)
    if len(letters) != LENGTH or not letters.isascii():  # "ß".upper() is "SS"
        return None
    code = letters.upper()
    return UserCode(code) if set(code) <= set(LETTERS) else None
