"""The parts of a URL that a request is made of. Read strictly: two readers of one URL must never disagree."""

from typing import Final, NamedTuple
from urllib.parse import urlsplit

PORTS: Final = {"https": 443, "http": 80}
LONGEST: Final = 2_000


class Place(NamedTuple):
    """Where a request goes. `authority` is host and port as they were written, `host` has no brackets."""

    secure: bool
    authority: str
    host: str
    port: int
    target: str


def place_of(url: str) -> Place | None:
    """Read an http or https URL; None for what is not plain."""
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or set(url) & set(" \\#"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or "@" in parts.netloc or "%" in parts.netloc:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return Place(parts.scheme == "https", parts.netloc, parts.hostname, port, f"{parts.path or '/'}{query}")
