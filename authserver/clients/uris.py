"""What a URI that somebody registers looks like, before anybody asks what it is for.

One spelling for one address: lower case scheme and host, no default port, no `.` and `..`. Browsers, proxies and
servers disagree about every other spelling, and an address that two of them read differently is a way in: userinfo that
looks like the host (CVE-2026-28512), `..;/` (CVE-2024-1132), a backslash that browsers take for a slash, tabs and
newlines that Python's own parser drops in silence. So nothing is mended or normalised here: what is not plain is refused.
"""

import re
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, NamedTuple
from urllib.parse import unquote

from authserver.clients.models import LONGEST_URI


class BadUri(StrEnum):
    """Why a URI cannot be registered, in words that follow "cannot be registered:"."""

    EMPTY = "it is empty"
    TOO_LONG = f"it has more than {LONGEST_URI:,} characters"
    CHARACTER = (
        "it has a character that no URI has: write spaces, quotes and letters beyond ASCII percent-encoded"
    )
    ENCODED = "it has an encoded control character, slash or backslash, which servers read in different ways"
    FRAGMENT = "it has a fragment: leave out # and what follows"
    WILDCARD = "there are no wildcards: register each URI by itself"
    RELATIVE = "it is not absolute: begin with https://"
    UPPER_CASE = "write the scheme and the host in lower case"
    DOTS = "it has . or .. in its path: write the path that is meant"
    USERINFO = "it has a user name before the host: leave out what stands before the @"
    HOST = "its host is no host name and no IP address in its usual form (other scripts: punycode, xn--…)"
    PORT = "its port is no number from 1 to 65535"
    DEFAULT_PORT = "leave out the port: it is the scheme's own"
    NOT_HTTPS = "it must begin with https:// (http:// on localhost, 127.0.0.1 and [::1] only)"
    SCHEME = "a scheme of your own is for native apps, and is a domain of yours in reverse: com.example.app:/callback"
    RESPONSE_NAME = "its query has a name that the answer will use, such as code or state"
    LOCALHOST = (
        "write 127.0.0.1 or [::1] in place of localhost, which another program may answer (RFC 8252 §8.3)"
    )


class Uri(NamedTuple):
    """The parts of a URI that was found plain. `authority` is None where there is no `//`."""

    scheme: str
    authority: str | None
    path: str
    query: str

    @property
    def host(self) -> str:
        """The host without its port; an IPv6 address keeps its brackets."""
        return _without_port(self.authority or "")

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @property
    def on_this_machine(self) -> bool:
        return self.host in LOOPBACK


LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
HIGHEST_PORT: Final = 65_535
LONGEST_HOST: Final = 253

_PLAIN: Final = re.compile(
    r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=]|%[0-9A-Fa-f]{2})*"
)  # RFC 3986 §2, no # and *
_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?]*))?([^?]*)(?:\?(.*))?")
_AUTHORITY: Final = re.compile(r"(\[[^\]]*\]|[^:]*)(?::(.*))?")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
_NUMERIC: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")  # browsers take a host that ends so for an IPv4 address
_CONTROL: Final = re.compile(r"%(?:[01][0-9A-F]|7F|5C)", re.IGNORECASE)


def read(text: str) -> Uri | BadUri:
    """Read an absolute URI, or say why it is not plain."""
    if refused := _characters(text):
        return refused
    found = _URI.fullmatch(text)
    if found is None:
        return BadUri.RELATIVE
    uri = Uri(found[1], found[2], found[3], found[4] or "")
    return _shape(uri) or uri


def web(text: str) -> Uri | BadUri:
    """Read the address of a page or an endpoint: https, or http on this very machine."""
    uri = read(text)
    if isinstance(uri, BadUri):
        return uri
    if uri.scheme not in DEFAULT_PORTS or (uri.scheme == "http" and not uri.on_this_machine):
        return BadUri.NOT_HTTPS
    return uri


def _characters(text: str) -> BadUri | None:
    if not text:
        return BadUri.EMPTY
    if len(text) > LONGEST_URI:
        return BadUri.TOO_LONG
    if "#" in text:
        return BadUri.FRAGMENT
    if "*" in text:
        return BadUri.WILDCARD
    if not _PLAIN.fullmatch(text):
        return BadUri.CHARACTER
    return BadUri.ENCODED if _CONTROL.search(text) else None


def _shape(uri: Uri) -> BadUri | None:
    if uri.scheme != uri.scheme.lower():
        return BadUri.UPPER_CASE
    if "%2f" in uri.path.lower():
        return BadUri.ENCODED
    if any(unquote(segment).partition(";")[0] in {".", ".."} for segment in uri.path.split("/")):
        return BadUri.DOTS
    if uri.authority is not None and "@" in uri.authority:
        return BadUri.USERINFO
    if uri.scheme in DEFAULT_PORTS:
        return _authority(uri.scheme, uri.authority) if uri.authority else BadUri.RELATIVE
    return None


def _authority(scheme: str, authority: str) -> BadUri | None:
    if authority != authority.lower():
        return BadUri.UPPER_CASE
    found = _AUTHORITY.fullmatch(authority)
    if found is None or not _is_host(found[1]):
        return BadUri.HOST
    return None if found[2] is None else _port(scheme, found[2])


def _port(scheme: str, port: str) -> BadUri | None:
    if not _PORT.fullmatch(port) or int(port) > HIGHEST_PORT:
        return BadUri.PORT
    return BadUri.DEFAULT_PORT if port == DEFAULT_PORTS[scheme] else None


def _is_host(host: str) -> bool:
    if host.startswith("["):
        return _is_ipv6(host[1:-1])
    labels = host.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        return _is_ipv4(host)
    return len(host) <= LONGEST_HOST and all(_LABEL.fullmatch(label) for label in labels)


def _is_ipv4(text: str) -> bool:
    try:
        return str(IPv4Address(text)) == text
    except AddressValueError:
        return False


def _is_ipv6(text: str) -> bool:
    """Only the one spelling of RFC 5952, and none that stands for an IPv4 address or names an interface."""
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    return str(address) == text and address.ipv4_mapped is None and address.scope_id is None


def _without_port(authority: str) -> str:
    found = _AUTHORITY.fullmatch(authority)
    return found[1] if found else authority
