"""Where an answer may be sent: to an address that was registered, character for character.

Whoever can steer a code elsewhere has the account. So nothing here parses, decodes, lower-cases or matches by pattern
what a request says: wildcards and prefixes (CVE-2024-1132, CVE-2026-3872), regular expressions (CVE-2024-52289), case
(CVE-2020-15233) and hosts in disguise (CVE-2026-28512) were all found in servers that tried to be helpful.

The one exception is RFC 8252 §7.3: a native app listens on whatever port is free, so the port of `http://127.0.0.1`
and `http://[::1]` is not compared. `localhost` is a name, which another program may answer, and is no exception.
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from authserver.clients import uris
from authserver.clients.uris import DEFAULT_PORTS, HIGHEST_PORT, BadUri, Uri

# What we add to a redirect URI. One that brings its own has two, and apps differ in which they read (CVE-2026-9689).
RESPONSE_NAMES: Final = frozenset(
    {"code", "state", "iss", "error", "error_description", "error_uri", "response", "session_state"}
    | {"access_token", "token_type", "expires_in", "scope", "id_token"}
)
_ON_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")
_OWN_SCHEME: Final = re.compile(r"[a-z][a-z0-9\-]*(?:\.[a-z0-9][a-z0-9\-]*)+")
_OWN_HOST: Final = re.compile(r"[a-z0-9.\-]*")


def matches(registered: Iterable[str], unverified_uri: str) -> bool:
    """Say whether a request may name this address; the same for redirects after signing in and after signing out."""
    known = tuple(registered)
    if unverified_uri in known:
        return True
    asked = _with_any_port(unverified_uri)
    return asked is not None and asked in map(_with_any_port, known)


def registrable(uri: str, application_type: str) -> BadUri | None:
    """Say why a redirect URI cannot be registered for this kind of client (`web`, `native`); None: it can."""
    read = uris.read(uri)
    if isinstance(read, BadUri):
        return read
    if any(name in RESPONSE_NAMES for name, _ in parse_qsl(read.query, keep_blank_values=True)):
        return BadUri.RESPONSE_NAME
    if read.scheme not in DEFAULT_PORTS:
        return _own_scheme(read, application_type)
    if read.scheme == "http" and not read.on_this_machine:
        return BadUri.NOT_HTTPS
    return BadUri.LOCALHOST if application_type == "native" and read.host == "localhost" else None


def _with_any_port(uri: str) -> tuple[str, str] | None:
    """Answer a loopback address in two parts, without the port between them; None for every other address."""
    found = _ON_LOOPBACK.fullmatch(uri)
    if found is None or int(found[2] or 80) > HIGHEST_PORT:
        return None
    return found[1], found[3]


def _own_scheme(uri: Uri, application_type: str) -> BadUri | None:
    """A scheme with a dot cannot be `javascript`, `data`, or any other that means something to a browser."""
    if application_type != "native" or not _OWN_SCHEME.fullmatch(uri.scheme):
        return BadUri.SCHEME
    if not _OWN_HOST.fullmatch(uri.authority or ""):
        return BadUri.HOST
    return None if uri.path.startswith("/") or uri.authority else BadUri.SCHEME
