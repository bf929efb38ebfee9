"""Each field of a registration by itself: what a program or a person may send for it, and what is stored.

A reader takes whatever JSON holds (a stranger may have written it) and answers the value to store, or an `Unfit` that
says what to do. Which fields go with which others is said in `contradictions.py`.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, Final

from authserver.clients import uris
from authserver.clients.models import LONGEST_NAME
from authserver.clients.uris import BadUri


class Unfit(str):
    """Why a value cannot be taken, and what to write in its place."""

    __slots__ = ()


Reader = Callable[[Any], Any]  # answers the value to store, or Unfit

ALGORITHMS: Final = (
    "RS256",
    "PS256",
    "ES256",
    "EdDSA",
    "Ed25519",
)  # RFC 9864 writes EdDSA with this curve Ed25519
MOST: Final = 50  # of anything in a list
LONGEST_TEXT: Final = 255
LONGEST_SCOPE: Final = 2_000
LONGEST_AGE: Final = 365 * 24 * 3600
_SCOPE_TOKEN: Final = re.compile(r"[!#-\[\]-~]+")  # RFC 6749 §3.3
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._~\-]+")


def shown(value: str) -> str:
    """Quote what somebody sent, in ASCII and not all of it: it goes on into errors, logs and terminals."""
    return ascii(value if len(value) <= LONGEST_TEXT else f"{value[:LONGEST_TEXT]}...")


def name(value: Any) -> Any:
    """A name that people read on the consent page: one line, composed, no invisible or turning characters."""
    if not isinstance(value, str):
        return Unfit("write it as text")
    text = unicodedata.normalize("NFC", value.strip())
    if not 1 <= len(text) <= LONGEST_NAME or not text.isprintable():
        return Unfit(f"write 1 to {LONGEST_NAME} visible characters on one line")
    return text


def flag(value: Any) -> Any:
    return value if isinstance(value, bool) else Unfit("write true or false")


def one_of(*allowed: str) -> Reader:
    return lambda value: (
        value if isinstance(value, str) and value in allowed else Unfit(f"write one of: {', '.join(allowed)}")
    )


def seconds(lowest: int, highest: int = LONGEST_AGE) -> Reader:
    def read(value: Any) -> Any:
        fits = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
        return value if fits else Unfit(f"write whole seconds, {lowest} to {highest}")

    return read


def address(value: Any) -> Any:
    """The address of a page or an endpoint: https, or http on this very machine."""
    if not isinstance(value, str):
        return Unfit("write a URL as text")
    read = uris.web(value)
    return bad_uri(value, read) if isinstance(read, BadUri) else value


def bad_uri(uri: str, why: BadUri) -> Unfit:
    return Unfit(f"{shown(uri)} cannot be registered: {why}")


def many(read_one: Reader) -> Reader:
    """A list, each member by a reader of its own, each once, in the order in which they were said."""

    def read(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) > MOST:
            return Unfit(f"write a list of at most {MOST}")
        members = [read_one(member) for member in value]
        unfit = next((member for member in members if isinstance(member, Unfit)), None)
        return unfit if unfit is not None else tuple(dict.fromkeys(members))

    return read


def text(value: Any) -> Any:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_TEXT or not value.isprintable():
        return Unfit(f"write text of 1 to {LONGEST_TEXT} visible characters")
    return value


def uri_text(value: Any) -> Any:
    """A URI that is looked at together with the other fields."""
    return value if isinstance(value, str) else Unfit("write each URI as text")


def scope(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > LONGEST_SCOPE:
        return Unfit(
            f"write the scopes as one text, with spaces between, of at most {LONGEST_SCOPE} characters"
        )
    tokens = dict.fromkeys(value.split(" ")) if value else {}
    if not all(_SCOPE_TOKEN.fullmatch(token) for token in tokens):
        return Unfit('write scopes of visible ASCII without " and \\, with one space between (RFC 6749 §3.3)')
    return " ".join(tokens)


def audience(value: Any) -> Any:
    """What an access token may be for: a URI without a fragment (RFC 8707), or a plain name."""
    if not isinstance(value, str):
        return Unfit("write each audience as text")
    if len(value) <= LONGEST_TEXT and _PLAIN_NAME.fullmatch(value):
        return value
    read = uris.read(value)
    if read is BadUri.RELATIVE:
        return Unfit(
            f"{shown(value)} is no audience: write a URI such as https://api.example.com, or a plain name"
        )
    return bad_uri(value, read) if isinstance(read, BadUri) else value
