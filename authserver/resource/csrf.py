"""Did another site make this browser send its cookie? For unsafe requests that a cookie authenticates.

`Origin` cannot be set by a page, nor can `Sec-Fetch-Site`; every current browser sends at least one of them with an
unsafe request. So a request with neither is not from a browser we can judge, and a cookie that it carries is not
believed. SameSite alone is no defence: a sibling subdomain is the same site. RFC 9110 §9.2.1 names the safe methods;
a WebSocket handshake is none of them here, as it opens a channel that no CORS rule protects.
"""

from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_FROM_HERE: Final = frozenset(("same-origin", "none"))  # none: typed or bookmarked, by no page at all
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}
_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


def cross_site(method: str, headers: Mapping[str, str], allowed_origins: Collection[str] = ()) -> bool:
    """True: refuse. `headers` by lower-case name; `allowed_origins` as browsers write them, `https://app.example`."""
    if method in SAFE_METHODS:
        return False
    origin = headers.get("origin")
    if origin is not None:
        return origin not in allowed_origins and not _is_own(origin, headers.get("host", ""))
    return headers.get("sec-fetch-site") not in _FROM_HERE


def _is_own(origin: str, host: str) -> bool:
    """Scheme and host: the plain-http page of an attacker on the wire has our host too, but not our scheme."""
    scheme, separator, authority = origin.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS or not host:
        return False
    if scheme == "http" and not is_loopback(origin):
        return False
    port = _DEFAULT_PORTS[scheme]
    return authority.lower().removesuffix(port) == host.lower().removesuffix(port)


def is_loopback(url: str) -> bool:
    """Names and literals that never leave the machine."""
    try:
        return urlsplit(url).hostname in _LOOPBACK
    except ValueError:
        return False
