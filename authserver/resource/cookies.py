"""Reading one cookie strictly from the `Cookie` header.

Browsers guard `__Host-` names, lenient parsers give them away: a name with a space before it, in other case or in
quotes, a nameless cookie, the same name twice. All of these are no cookie here (SECURITY C04).
"""

import re
from collections.abc import Iterable
from typing import Final

VALUE: Final = re.compile(r"[A-Za-z0-9_.\-]+")
LONGEST: Final = 16_384


def read_cookie(headers: Iterable[str], name: str) -> str | None:
    """Answer the value of exactly this cookie, None if it is absent, sent twice, or not base64url and dots.

    :param headers: every `Cookie` header of the request (HTTP/2 may split it: RFC 9113 §8.2.3).
    """
    found: str | None = None
    for header in headers:
        for pair in header[:LONGEST].split(";"):
            key, separator, value = pair.strip(" ").partition("=")
            if separator and key == name:
                if found is not None or not VALUE.fullmatch(value):
                    return None
                found = value
    return found
