"""The one place that fetches: the issuer's documents, within limits of time, size and origin.

https, or http to loopback. A redirect may not leave the origin it came from: whoever controls a redirect would
otherwise choose whose keys are trusted. An answer may be large or drip byte by byte; both end at a limit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from authserver.resource.csrf import is_loopback

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector, Request

NOT_MODIFIED: Final = 304
_CHUNK: Final = 65_536


class FetchFailed(Exception):
    """No usable answer. The message names the trouble, not the body."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, its body, and for how long and under what name it may be kept."""

    status: int
    body: bytes
    etag: str | None = None
    max_age: float | None = None


Fetch = Callable[[str, str | None], Fetched]


@dataclass(frozen=True, slots=True)
class HttpFetch:
    """A `Fetch` by urllib: one GET in at most `timeout` seconds (per wait) and `deadline` seconds (altogether)."""

    max_bytes: int = 1_048_576
    timeout: float = 5.0
    deadline: float = 10.0
    clock: Callable[[], float] = monotonic

    def __call__(self, url: str, etag: str | None) -> Fetched:
        require_secure(url)
        ends_at = self.clock() + self.deadline
        try:
            return self._get(url, etag, ends_at)
        except OSError as error:  # URLError, timeouts, TLS
            raise FetchFailed(f"{type(error).__name__} at {urlsplit(url).hostname}") from None

    def _get(self, url: str, etag: str | None, ends_at: float) -> Fetched:
        from http.client import HTTPException  # noqa: PLC0415 - 40 ms that only a fetch should pay
        from urllib.error import HTTPError  # noqa: PLC0415 - as above
        from urllib.request import Request  # noqa: PLC0415 - as above

        headers = {"Accept": "*/*", "User-Agent": "authserver-resource"}
        if etag:
            headers["If-None-Match"] = etag
        request = Request(url, headers=headers)  # noqa: S310 - require_secure saw the scheme
        try:
            with _opener(url).open(request, timeout=self.timeout) as response:
                return self._read(response, ends_at)
        except HTTPError as answer:  # urllib's word for every status but 2xx, 304 among them
            with answer:
                return Fetched(answer.code, b"", answer.headers.get("ETag"), parse_max_age(answer.headers))
        except (HTTPException, ValueError) as error:
            raise FetchFailed(f"{type(error).__name__}: not HTTP") from None

    def _read(self, response: "HTTPResponse", ends_at: float) -> Fetched:
        body = bytearray()
        while chunk := response.read1(_CHUNK):
            body += chunk
            if len(body) > self.max_bytes:
                raise FetchFailed("the answer is too large")
            if self.clock() > ends_at:
                raise FetchFailed("the answer is too slow")
        if response.length:  # the connection closed before Content-Length was reached
            raise FetchFailed("the answer is incomplete")
        return Fetched(
            response.status, bytes(body), response.headers.get("ETag"), parse_max_age(response.headers)
        )


def require_secure(url: str) -> None:
    """ValueError unless https, or http to this machine."""
    scheme = urlsplit(url).scheme
    if scheme != "https" and not (scheme == "http" and is_loopback(url)):
        raise ValueError("an issuer must be reached by https (http only on loopback)")


def parse_max_age(headers: "Message[str, str]") -> float | None:
    """RFC 9111 §4.2: seconds left of `max-age` after `Age`; 0 for no-store and no-cache; None when nothing is said."""
    directives = [part.strip().lower() for part in str(headers.get("Cache-Control", "")).split(",")]
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    for directive in directives:
        name, _, seconds = directive.partition("=")
        if name == "max-age" and _is_seconds(seconds):
            return max(0.0, float(seconds) - _age(headers))
    return None


def _age(headers: "Message[str, str]") -> float:
    age = str(headers.get("Age", "")).strip()
    return float(age) if _is_seconds(age) else 0.0


def _is_seconds(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10  # noqa: PLR2004 - three centuries


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts: SplitResult = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _opener(url: str) -> "OpenerDirector":
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener  # noqa: PLC0415 - see HttpFetch._get

    class SameOriginOnly(HTTPRedirectHandler):
        def redirect_request(
            self, req: "Request", fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
        ) -> "Request | None":
            if _origin(newurl) != _origin(req.full_url):
                raise FetchFailed("a redirect to another origin")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    # A proxy cannot reach this machine's loopback; everywhere else the system's proxy settings hold.
    return build_opener(SameOriginOnly, *([ProxyHandler({})] if is_loopback(url) else []))
