"""Two spellings of one address, made equal: what `htu` of a proof of possession is compared by (RFC 9449 §4.3).

RFC 3986 §6.2.2 and §6.2.3: scheme and host in lower case, no default port, no query, no fragment, `%7E` is `~`, `%2f` is
`%2F`. What is ambiguous has no normal form here and so equals nothing: a user before the host, a backslash, a blank, a
character outside ASCII. Dot segments stay as they are; a client has no reason to send any.
"""

import re
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

LONGEST: Final = 2_048
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PLAIN: Final = re.compile(r"""[^\x00-\x20\x7f-\U0010ffff"<>\\^`{|}]+""")  # RFC 3986 has no place for these
_HOST: Final = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")
_ESCAPE: Final = re.compile("%[0-9A-Fa-f]{2}")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")
_KEPT_IN_A_PATH: Final = "/:@!$&'()*+,;=~-._"


def normal(uri: str) -> str | None:
    """`uri` in its one spelling; None for what is no absolute http or https address."""
    if len(uri) > LONGEST or not _PLAIN.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    authority = _authority(parts, port)
    return None if authority is None else f"{parts.scheme}://{authority}{_unescaped(parts.path) or '/'}"


def escaped(path: str) -> str:
    """A path that a framework has decoded, as most clients would have written it."""
    return quote(path, safe=_KEPT_IN_A_PATH)


def _authority(parts: SplitResult, port: int | None) -> str | None:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    if parts.scheme not in _DEFAULT_PORTS or host is None or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    return host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"


def _unescaped(path: str) -> str:
    return _ESCAPE.sub(_plainest, path)


def _plainest(escape: re.Match[str]) -> str:
    char = chr(int(escape[0][1:], 16))
    return char if _UNRESERVED.fullmatch(char) else escape[0].upper()
