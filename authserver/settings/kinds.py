"""The kinds of values that settings take: lengths of time, origins, colours, keys. Each says what to write instead."""

import base64
import binascii
import re
from datetime import timedelta
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
KEY_BYTES: Final = 32


def _duration(value: Any) -> Any:
    """Read `90`, `"90s"`, `"15m"`, `"1h"` or `"30d"`."""
    text = str(value).strip()
    if isinstance(value, (int, str)) and (found := re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)):
        return timedelta(seconds=int(found[1]) * UNITS[found[2] or "s"])
    if isinstance(value, timedelta):
        return value
    raise ValueError('write a length of time as seconds or as "15m", "1h", "30d"')


def _issuer(value: str) -> str:
    """RFC 8414 §2: a URL without query or fragment. Without a path too: the cookies live at `/`."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write the server's URL, such as https://login.example.com")
    if value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("write scheme and host only, without a slash at the end, path, query or fragment")
    if "@" in parts.netloc or value != value.lower():
        raise ValueError("write it in lower case and without a user name")
    return value


def _color(value: str) -> str:
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", value):
        raise ValueError('write a colour as "#0a7cff"')
    return value


def _key(value: SecretStr) -> SecretStr:
    key_bytes(value)
    return value


def key_bytes(value: SecretStr) -> bytes:
    """Read a key-encryption key: exactly 32 random bytes in base64 or base64url.

    :raises ValueError: it is anything else.
    """
    text = value.get_secret_value().strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES or len(set(raw)) < KEY_BYTES // 4:
        raise ValueError("needs 32 random bytes in base64; make one with: openssl rand -base64 32")
    return raw


Color = Annotated[str, AfterValidator(_color)]
Duration = Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(0))]
Origin = Annotated[str, AfterValidator(_issuer)]
KeyEncryptionKey = Annotated[SecretStr, AfterValidator(_key)]
Algorithm = Literal["RS256", "PS256", "ES256", "Ed25519"]


def is_loopback(host: str) -> bool:
    """Say whether a host name can only be this machine (RFC 6761 §6.3 for `localhost`)."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
