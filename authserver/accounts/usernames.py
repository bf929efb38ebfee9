"""RFC 8265 §3.3: one account per user name, however the name is typed (PRECIS profile UsernameCaseMapped).

`Alice`, `ａｌｉｃｅ` (full width) and `alice` are one name, and so are the two ways Unicode writes `é`. Without this, a
second account that looks the same can be registered and its owner be taken for the first, and counters of failed
sign-ins can be dodged by another spelling.

What the profile refuses: spaces, controls, zero-width and other invisible characters, compatibility characters
(`①`, `ﬁ`, `ㅋ`), symbols, names that mix directions (RFC 5893). What it does not do: tell letters apart that merely
look alike. `а` (Cyrillic) is not `a`, nor is the Turkish `ı` an `i`; such names are different accounts.
"""

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final, NewType

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

Username = NewType("Username", str)

MAXIMUM_LENGTH: Final = 255  # code points, before and after: at most 1,020 bytes, and the column's width


class BadName(StrEnum):
    """Why a text cannot be a user name, in words for the person who typed it."""

    EMPTY = "Enter a user name."
    TOO_LONG = "A user name has at most 255 characters."
    SPACE = "A user name has no spaces."
    DIRECTION = "A user name does not mix writing from left to right with writing from right to left."
    CHARACTER = "A user name has letters, digits and ordinary punctuation only."


class InvalidUsername(ValueError):
    """The text is no user name; `reason` may be shown."""

    def __init__(self, reason: BadName) -> None:
        super().__init__(reason.value)
        self.reason = reason


def canonical(text: str) -> Username:
    """Answer the one spelling under which an account is stored and looked for.

    :raises InvalidUsername: no account has or can have such a name.
    """
    _bound(text)
    try:
        name: str = _profile().enforce(text)
    except UnicodeEncodeError as error:
        raise InvalidUsername(_reason(error)) from None  # the library's message repeats what was typed
    _bound(name)  # lower case and NFC may be longer than what was typed
    return Username(name)


def _bound(text: str) -> None:
    if not text:
        raise InvalidUsername(BadName.EMPTY)
    if len(text) > MAXIMUM_LENGTH:
        raise InvalidUsername(BadName.TOO_LONG)


def _reason(error: UnicodeEncodeError) -> BadName:
    if error.reason.endswith("/bidi_rule"):
        return BadName.DIRECTION
    refused = error.object[error.start : error.end]
    return BadName.SPACE if refused.isspace() else BadName.CHARACTER


@cache
def _profile() -> "Profile":
    from precis_i18n import get_profile  # noqa: PLC0415 - its tables are built by the first sign-in

    return get_profile("UsernameCaseMapped")
