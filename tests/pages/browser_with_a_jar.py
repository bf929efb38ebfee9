"""A browser that keeps cookies by name, domain and path, as browsers do, and follows where it is sent.

It opens pages of an app behind a proxy: for each it is `/verify` that decides, asked as a proxy asks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx2

from tests.visitor import Visitor

MOST_HOPS: Final = 20  # of real browsers, which then show a page of their own
KEPT: Final = 4_096  # RFC 6265bis §5.7
PAGE: Final = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}

Place = tuple[str, str, str]  # of a cookie: name, domain with a dot if it has one, path


@dataclass(slots=True)
class Jarred:
    """Somebody's browser; `keeps` is what an odd one does not."""

    visitor: Visitor
    jar: dict[Place, str] = field(default_factory=dict)
    keeps: Callable[[str], bool] = lambda _: True
    hops: int = 0

    def open_page(self, address: str, **headers: str) -> httpx2.Response:
        """Go to a page of an app; answer what the person sees, or the proxy's yes."""
        for self.hops in range(1, MOST_HOPS + 1):
            answer = self._ask(address, headers)
            if answer.status_code != 303:
                return answer
            answer = self.go(answer.headers["location"], headers)
            if answer.status_code != 303:
                return answer
            assert answer.headers["location"] == address
        raise AssertionError("round and round")

    def go(self, address: str, headers: dict[str, str]) -> httpx2.Response:
        """Go to a page of the login service."""
        self.visitor.http.cookies.clear()
        answer = self.visitor.get(address, headers=PAGE | headers | self._cookies(address))
        self._keep(urlsplit(address).hostname or "", answer)
        return answer

    def sign_in(self, username: str, password: str) -> None:
        self._keep(urlsplit(self.visitor.origin).hostname or "", self.visitor.sign_in(username, password))

    def _ask(self, address: str, headers: dict[str, str]) -> httpx2.Response:
        parts = urlsplit(address)
        described = {
            "X-Forwarded-Method": "GET",
            "X-Forwarded-Proto": parts.scheme,
            "X-Forwarded-Host": parts.netloc,
            "X-Forwarded-Uri": parts.path,
        }
        self.visitor.http.cookies.clear()
        sent = PAGE | headers | described | self._cookies(address)
        return self.visitor.get("/verify?sign_in=redirect", headers=sent)

    def _cookies(self, address: str) -> dict[str, str]:
        """RFC 6265 §5.4: longer paths come first."""
        parts = urlsplit(address)
        sent = [place for place in self.jar if _reaches(place, parts.hostname or "", parts.path)]
        ordered = sorted(sent, key=lambda place: -len(place[2]))
        return {"Cookie": "; ".join(f"{place[0]}={self.jar[place]}" for place in ordered)}

    def _keep(self, host: str, answer: httpx2.Response) -> None:
        for line in answer.headers.get_list("set-cookie"):
            pair, *rest = line.split("; ")
            name, _, value = pair.partition("=")
            said = {key.lower(): text for key, _, text in (each.partition("=") for each in rest)}
            place = (name, f".{said['domain']}" if "domain" in said else host, said["path"])
            if said["max-age"] == "0":
                self.jar.pop(place, None)
            elif self.keeps(name) and len(name) + len(value) <= KEPT:
                self.jar[place] = value


def _reaches(place: Place, host: str, path: str) -> bool:
    """RFC 6265 §5.1.3 and §5.1.4."""
    _, domain, prefix = place
    there = f".{host}".endswith(domain) if domain.startswith(".") else host == domain
    return there and (path == prefix or path.startswith(prefix if prefix.endswith("/") else f"{prefix}/"))
