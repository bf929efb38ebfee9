"""The request that somebody sent to a reverse proxy, as the proxy describes it when it asks about that request.

`X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri` are the proxy's words; everything else in the request is its
visitor's. A visitor who reaches us without a proxy can say what he likes in all of them: it decides about nobody but
himself. A proxy that lets its visitors say them is misconfigured, and so is one that leaves one out, or says one twice:
both are told, and nothing is guessed, as a guessed method would be a hole in the CSRF check.

The proxy hands on every header of its visitor's, so their number is limited, and reading them costs no more than that.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope

from authserver.web.body import BadRequest

SHAPES: Final = {
    "x-forwarded-method": re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}"),  # RFC 9110 §5.6.2: a token
    "x-forwarded-proto": re.compile(r"https?|wss?"),
    "x-forwarded-host": re.compile(r"[0-9A-Za-z._:\[\]-]{1,255}"),
    "x-forwarded-uri": re.compile(r"[/*].*", re.DOTALL),
}
MOST_HEADERS: Final = 200  # a browser sends some twenty, and proxies a few more
WEBSOCKET: Final = "WEBSOCKET"  # the method of a handshake, by which `resource/csrf.py` knows it as unsafe
_HANDSHAKE: Final = frozenset({"sec-websocket-key", "sec-websocket-version"})


class TooManyHeaders(BadRequest):
    status = 431  # RFC 6585 §5


@dataclass(frozen=True, slots=True)
class ForwardedRequest:
    """A `RequestView` of the visitor's request; `origin` and `uri` are where it was sent to."""

    method: str
    origin: str
    host: str
    uri: str
    headers: Mapping[str, tuple[str, ...]]

    def header_values(self, name: str) -> Sequence[str]:
        return (self.host,) if name == "host" else self.headers.get(name, ())


def read_forwarded(scope: Scope) -> ForwardedRequest:
    """Read the description.

    :raises BadRequest: a part of it is missing, there twice, or nothing that a proxy would say.
    :raises TooManyHeaders: nothing was read.
    """
    headers = _headers(scope)
    method, proto, host, uri = (_said_once(headers, name, shape) for name, shape in SHAPES.items())
    return ForwardedRequest(
        method=WEBSOCKET if _is_handshake(headers) else method,
        origin=f"{proto}://{host}".lower(),
        host=host,
        uri=uri,
        headers=headers,
    )


def _headers(scope: Scope) -> Mapping[str, tuple[str, ...]]:
    if len(scope["headers"]) > MOST_HEADERS:
        raise TooManyHeaders(f"The request may have at most {MOST_HEADERS} headers.")
    said: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        said.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return {name: tuple(values) for name, values in said.items()}


def _said_once(headers: Mapping[str, tuple[str, ...]], name: str, shape: re.Pattern[str]) -> str:
    values = headers.get(name, ())
    if len(values) != 1 or not shape.fullmatch(values[0]):
        raise BadRequest(f"The proxy must send one proper {name.title()} header.")
    return values[0]


def _is_handshake(headers: Mapping[str, tuple[str, ...]]) -> bool:
    """RFC 6455 §4.1. No page can leave these headers out; `Upgrade` is for one hop, and proxies drop it."""
    return not _HANDSHAKE.isdisjoint(headers) or "websocket" in ",".join(headers.get("upgrade", ())).lower()
