"""The tokens that are in use at a moment: the newest of every key, until shortly before they expire.

Among them is always one with another person's name under an old signature: a verifier that says yes to everything
would pass a drill that only asks for good tokens.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

FORGED: Final = "forged"  # in the place of a kid
PER_KEY: Final = 4
MARGIN: Final = 1.0  # seconds before `exp` at which a token is put aside: no verifier may be asked too late


@dataclass(frozen=True, slots=True)
class Issued:
    """One token, the key it was signed by, and until when (seconds since 1970) it is surely alive."""

    label: str
    value: str
    alive_until: float


def issued(value: str) -> Issued:
    """Read what a token says of itself: it comes from our own server, and others verify it."""
    header, payload, _ = value.split(".")
    return Issued(str(_read(header)["kid"]), value, float(_read(payload)["exp"]) - MARGIN)


def forged(good: Issued) -> Issued:
    """Put another name under the signature of a good token."""
    header, payload, signature = good.value.split(".")
    claims = json.dumps(_read(payload) | {"sub": "somebody-else"}).encode()
    altered = urlsafe_b64encode(claims).rstrip(b"=").decode()
    return Issued(FORGED, f"{header}.{altered}.{signature}", good.alive_until)


class LiveTokens:
    """Keeps the newest few tokens of each key."""

    def __init__(self) -> None:
        self.kids: list[str] = []  # of every key that ever signed one, in order
        self._by_kid: dict[str, list[Issued]] = {}

    def add(self, token: Issued) -> None:
        if token.label not in self._by_kid:
            self.kids.append(token.label)
        self._by_kid[token.label] = [*self._by_kid.get(token.label, []), token][-PER_KEY:]

    def alive(self, now: float) -> list[Issued]:
        """All that are alive, no two of one key in a row, so that a few verifications ask for every key."""
        columns = [[one for one in tokens if now < one.alive_until] for tokens in self._by_kid.values()]
        turns = [one for turn in zip_longest(*columns) for one in turn if one is not None]
        return [*turns, forged(max(turns, key=lambda one: one.alive_until))] if turns else []


def _read(segment: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return read
