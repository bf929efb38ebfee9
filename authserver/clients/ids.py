"""Names of clients: made at random, or chosen by the operator where an app wants one that can be read.

`sub` of a person and `client_id` of a client stand in one claim of the tokens that a client gets for itself, so no
client may be called like an account (RFC 9700 §4.15): account ids have 22 characters, and no chosen name has.
"""

import re
from typing import Final

from authserver.opaque import new_id

RESERVED: Final = frozenset({"first-party"})  # the built-in client that the token cookie belongs to
ACCOUNT_ID_LENGTH: Final = len(new_id())
_CHOSEN: Final = re.compile(r"[a-z][a-z0-9-]{2,62}")


def refusal(chosen: str) -> str | None:
    """Say why the operator may not choose this id, and what to choose; None: it is well chosen."""
    if not _CHOSEN.fullmatch(chosen):
        return "a chosen id has 3 to 63 small letters, digits and dashes, and begins with a letter"
    if len(chosen) == ACCOUNT_ID_LENGTH:
        return f"a chosen id may not have {ACCOUNT_ID_LENGTH} characters, as the ids of accounts do: add one or leave one out"
    return f"{chosen} is the server's own: choose another id" if chosen in RESERVED else None
