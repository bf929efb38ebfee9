"""One status list: a bit for each index, packed from the least significant bit of each byte on (draft §4.1).

One bit is enough: 0 is VALID and 1 is INVALID (§7.1). All lists have one size, so its length says nothing about how
many sessions there are.
"""

import base64
import zlib
from typing import Final

SIZE: Final = 1 << 20
LEVEL: Final = 6  # 9 takes many times as long, for a percent


class Bits:
    """A list that changes; `version` counts how often it did."""

    def __init__(self) -> None:
        self.version = 0
        self._packed = bytearray(SIZE // 8)

    def put(self, index: int, *, invalid: bool) -> None:
        at, mask = index >> 3, 1 << (index & 7)
        before = self._packed[at]
        self._packed[at] = before | mask if invalid else before & ~mask
        self.version += self._packed[at] != before

    def encoded(self) -> str:
        return encode(self._packed)


def encode(packed: bytes | bytearray) -> str:
    """Answer `lst`: zlib (RFC 1950), then base64url without padding (§4.2)."""
    return base64.urlsafe_b64encode(zlib.compress(packed, LEVEL)).rstrip(b"=").decode()
