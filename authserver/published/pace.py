"""A long answer is handed over in pieces, as fast as its reader takes them, and a reader who takes too little is let go.

In one piece it would lie in the connection's buffer: ten megabytes for each reader of a long list who reads nothing.
Nor may a reader take it byte by byte for hours: lists are signed anew every few seconds, and it would keep an old one
in memory for itself alone.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from starlette.types import Send

PIECE: Final = 32 * 1024  # half of what the connection's buffer takes before it asks to wait
SLOWEST: Final = 30.0  # seconds in which the buffer must make room for the next piece
SLOWEST_RATE: Final = 64 * 1024  # bytes a second, on the whole


def pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]


async def hand_over(parts: Iterable[bytes], size: int, send: Send) -> None:
    """Send parts of a body of about `size` bytes; its end is the caller's to send.

    :raises TimeoutError: the reader is too slow. The server closes the connection under an answer that did not end.
    """
    async with asyncio.timeout(SLOWEST + size / SLOWEST_RATE):
        for part in parts:
            async with asyncio.timeout(SLOWEST):
                await send({"type": "http.response.body", "body": part, "more_body": True})
