"""Server-Sent Events as they come in, piece by piece (WHATWG HTML §9.2.6), within a limit of memory.

A line may end in CR, LF or both, and a piece may end anywhere: between CR and LF, inside a character, in a name.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_NUMBER: Final = 9


class TooLarge(ValueError):
    """A line or an event that does not end."""


class ServerSentEvent(NamedTuple):
    """What a server sent, and the id that was last said with it or before it."""

    name: str
    data: str
    last_id: str


class EventStream:
    """Bytes in, events out. `retry` is how many seconds the server wants us to stay away after a cut."""

    def __init__(self, max_bytes: int) -> None:
        self.retry: float | None = None
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._searched = 0
        self._skips_lf = False
        self._is_first_line = True
        self._name, self._last_id = "", ""
        self._data = bytearray()  # one object, and not one for each line: a line may be as short as a byte

    @property
    def is_midway(self) -> bool:
        """Something has come that is no event yet."""
        return bool(self._rest or self._data)

    def feed(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """The events that `piece` completes. :raises TooLarge: and nothing sensible comes afterwards."""
        self._rest += piece
        for line in self._lines():
            if not line:
                if self._data:
                    yield self._event()
                self._name = ""
            else:
                self._field(line)
        if len(self._rest) + len(self._data) > self._max_bytes:
            raise TooLarge("an event that is too large")

    def _lines(self) -> Iterator[bytes]:
        if self._skips_lf and self._rest:
            del self._rest[: self._rest.startswith(b"\n")]
            self._skips_lf = False
        start = 0
        while (end := _LINE_END.search(self._rest, max(start, self._searched))) is not None:
            line = bytes(self._rest[start : end.start()])
            start = end.end()
            self._skips_lf = end.group() == b"\r" and start == len(self._rest)  # its LF may be on the way
            yield line.removeprefix(_BOM) if self._is_first_line else line
            self._is_first_line = False
        del self._rest[:start]
        self._searched = len(self._rest)

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data += value + b"\n"
            if len(self._data) > self._max_bytes:
                raise TooLarge("an event that is too large")
        elif name == b"event":
            self._name = _text(value)
        elif name == b"id" and b"\0" not in value:
            self._last_id = _text(value)
        elif name == b"retry" and value.isdigit() and len(value) <= _LONGEST_NUMBER:
            self.retry = int(value) / 1_000

    def _event(self) -> ServerSentEvent:
        event = ServerSentEvent(self._name or "message", _text(self._data[:-1]), self._last_id)
        self._data = bytearray()
        return event


def _text(value: bytes | bytearray) -> str:
    return value.decode("utf-8", "replace")
