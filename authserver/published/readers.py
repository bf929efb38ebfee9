"""What a reader of the revocation feed asks for: from where on, how long it would wait, how often it wants to hear.

Nothing here is believed: a position that never was is answered by the whole list.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from starlette.types import Scope

from authserver.protocol.revocation import HEARTBEAT, LONGEST_WAIT
from authserver.published.documents import Document, refusal

NUMBER: Final = re.compile(r"[0-9]{1,18}")
MARK: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
LAST_EVENT_ID: Final = b"last-event-id"
WRONG: Final = {
    "since": "since must be one whole number, the sequence that you know.",
    "mark": "mark must be the one that stood beside that sequence.",
    "wait": "wait must be one whole number of seconds.",
    "heartbeat": "heartbeat must be one whole number of seconds.",
}


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader says that it stands. Without a mark it cannot be told apart from another history."""

    sequence: int
    mark: str | None


@dataclass(frozen=True, slots=True)
class Reader:
    """One request for the feed. `wait` and `heartbeat` in seconds, within the limits of the protocol."""

    position: Position | None
    wait: int
    heartbeat: int


def reader_of(scope: Scope) -> Reader | Document:
    """Read a request, or answer what is wrong with it."""
    asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    chosen: dict[str, str] = {}
    for name, complaint in WRONG.items():
        values = asked.get(name, [])
        if not values:
            continue
        if len(values) > 1 or not (MARK if name == "mark" else NUMBER).fullmatch(values[0]):
            return refusal(400, "invalid_request", complaint)
        chosen[name] = values[0]
    return Reader(
        _position(scope, chosen),
        wait=min(int(chosen.get("wait", 0)), LONGEST_WAIT),
        heartbeat=min(max(int(chosen.get("heartbeat", HEARTBEAT)), 1), LONGEST_WAIT),
    )


def _position(scope: Scope, chosen: dict[str, str]) -> Position | None:
    """`Last-Event-ID` wins: a browser's EventSource repeats the address that it began with (WHATWG HTML §9.2)."""
    for name, value in scope["headers"]:
        if name == LAST_EVENT_ID and NUMBER.fullmatch(last := value.decode("latin-1")):
            return Position(int(last), None)
    return Position(int(chosen["since"]), chosen.get("mark")) if "since" in chosen else None
