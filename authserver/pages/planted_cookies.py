"""A second token cookie beside ours, which any host of the domain can plant (cookie tossing: SECURITY C04).

A cookie is told apart by name, domain and path; the request that brings it says its name alone. So a sibling's cookie
of our name, with a longer path or another domain, comes beside ours and before it, and neither is believed. The sign-in
renews ours and leaves the other where it is, unless it takes it back by the very path and domain that it has. Those are
not known, but few: a prefix of the page's path, and a domain that the page and we are both in. What was set for the
app's own host alone, only that host can take back. A `__Host-` cookie has neither, and cannot be planted.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from authserver.web.cookies import Cookies

MOST: Final = 12  # their lines stand in one answer's head, for which a proxy may have room for 4 KB
SEGMENT: Final = re.compile(r"[A-Za-z0-9._~%!$&'()*+,=:@-]*")  # without `;`, which would end the attribute


def sent_twice(cookie_headers: Iterable[str], name: str) -> bool:
    pairs = (pair for header in cookie_headers for pair in header.split(";"))
    return sum(pair.strip(" ").partition("=")[0] == name for pair in pairs) > 1


def take_back(response: Response, cookies: Cookies, issuer: str, target: str) -> None:
    """Delete every token cookie but ours that may reach the page `target`."""
    if cookies.token_domain is None:
        return
    page = urlsplit(target)
    places = product(_domains(urlsplit(issuer).hostname or "", page.hostname or ""), _paths(page.path))
    planted = (place for place in places if place != (cookies.token_domain, "/"))
    for domain, path in islice(planted, MOST):
        response.set_cookie(
            cookies.token_name, "", max_age=0, path=path, domain=domain, secure=True, httponly=True
        )


def _domains(ours: str, theirs: str) -> list[str]:
    """From the longest to the shortest of two labels; a browser knows which of them are everybody's (`co.kr`)."""
    labels = ours.split(".")
    parents = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return [parent for parent in parents if theirs == parent or theirs.endswith(f".{parent}")]


def _paths(path: str) -> Iterator[str]:
    """RFC 6265 §5.1.4: the paths that a cookie may have to be sent there."""
    yield "/"
    prefix = ""
    for segment in path.split("/")[1:]:
        if not SEGMENT.fullmatch(segment):
            return
        prefix += f"/{segment}"
        if prefix != "/":
            yield prefix
            yield f"{prefix}/"
