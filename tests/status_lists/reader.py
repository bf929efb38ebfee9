"""Somebody else's verifier, written from the draft (§8.3) with joserfc and zlib; nothing of ours is in it."""

import base64
import zlib
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from authserver.app import Server
from tests.visitor import Visitor

LARGEST = 1 << 22
ALGORITHMS = ["RS256", "ES256"]


class Unknown(Exception):
    """No statement about the status can be made."""


def unpacked(lst: str) -> bytes:
    inflate = zlib.decompressobj()
    packed = inflate.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)), LARGEST)
    if not inflate.eof:
        raise Unknown("larger than anybody should unpack")
    return packed


def value_at(packed: bytes, bits: int, index: int) -> int:
    """§4.1: from the least significant bit on."""
    if bits not in {1, 2, 4, 8} or not 0 <= index < len(packed) * 8 // bits:
        raise Unknown("outside of the list")
    at = index * bits
    return packed[at // 8] >> at % 8 & (1 << bits) - 1


class StatusReader:
    """Fetches keys and lists over HTTP, anew each time."""

    def __init__(self, server: Server, visitor: Visitor) -> None:
        self._server = server
        self._visitor = visitor

    def reference(self, token: str) -> dict[str, Any]:
        found: dict[str, Any] = self._claims(token, "at+jwt")["status"]["status_list"]
        return found

    def listed(self, uri: str) -> dict[str, Any]:
        answer = self._visitor.get(uri, headers={"Accept": "application/statuslist+jwt"})
        if (answer.status_code, answer.headers["content-type"]) != (200, "application/statuslist+jwt"):
            raise Unknown(f"{answer.status_code} {answer.text}")
        claims = self._claims(answer.text, "statuslist+jwt")
        if claims["sub"] != uri or claims["exp"] <= self._server.capabilities.clock.now().timestamp():
            raise Unknown("another list, or an old one")
        return claims

    def status(self, token: str) -> int:
        """0 or 1, as of what this server signs when it looks now."""
        self._server.follow()
        self._server.live.sign_status_lists()
        reference = self.reference(token)
        told = self.listed(reference["uri"])["status_list"]
        return value_at(unpacked(told["lst"]), told["bits"], reference["idx"])

    def _claims(self, token: str, typ: str) -> dict[str, Any]:
        keys = KeySet.import_key_set(self._visitor.get("/.well-known/jwks.json").json())
        found = jwt.decode(token, keys, algorithms=ALGORITHMS)
        if found.header["typ"] != typ:
            raise Unknown(f"not a {typ}")
        return dict(found.claims)
