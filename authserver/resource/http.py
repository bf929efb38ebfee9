"""The one place that fetches: the issuer's documents, within limits of time, size and origin.

https, or http to loopback. A redirect may not leave the origin it came from: whoever controls a redirect would
otherwise choose whose keys are trusted. An answer may be large or drip byte by byte; both end at a limit.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, Final, Self
from urllib.parse import SplitResult, urlsplit

from authserver.resource.csrf import is_loopback
from authserver.resource.line import FetchFailed, Line, TooSlow
from authserver.resource.since_boot import since_boot

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPResponse
    from socket import socket
    from urllib.request import BaseHandler, OpenerDirector, Request

__all__ = [
    "NOT_MODIFIED",
    "Connect",
    "Exchange",
    "Fetch",
    "FetchFailed",
    "Fetched",
    "HttpFetch",
    "HttpPost",
    "Post",
    "connect",
    "parse_max_age",
    "require_secure",
]

NOT_MODIFIED: Final = 304
_CHUNK: Final = 65_536
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
_OURS: Final = {"Accept": "*/*", "User-Agent": "authserver-resource"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its status, its body, and for how long and under what name it may be kept."""

    status: int
    body: bytes
    etag: str | None = None
    max_age: float | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """An answer that is still on its way. The body of a refusal (any status but 2xx) is not read."""

    status: int
    headers: "Message[str, str]"
    _body: "HTTPResponse | None" = field(default=None, repr=False)

    @property
    def media_type(self) -> str:
        return self.headers.get_content_type()

    def read(self) -> bytes:
        """Some bytes as soon as there are any; none at the end. :raises FetchFailed:"""
        if self._body is None:
            return b""
        with _as_fetch_failed():
            piece = self._body.read1(_CHUNK)
        if not piece and self._body.length:  # the connection closed before Content-Length was reached
            raise FetchFailed("the answer is incomplete")
        return piece

    def whole(self, max_bytes: int) -> bytes:
        body = bytearray()
        while piece := self.read():
            body += piece
            if len(body) > max_bytes:
                raise FetchFailed("the answer is too large")
        return bytes(body)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._body is not None:
            self._body.close()


Fetch = Callable[[str, str | None], Fetched]
Connect = Callable[[str, Line], Exchange]
Post = Callable[[str, Mapping[str, str], bytes], Fetched]


@dataclass(frozen=True, slots=True)
class HttpFetch:
    """A `Fetch` by urllib: one GET in at most `timeout` seconds (per wait) and `deadline` seconds (altogether)."""

    max_bytes: int = 1_048_576
    timeout: float = 5.0
    deadline: float = 10.0
    clock: Callable[[], float] = since_boot

    def __call__(self, url: str, etag: str | None) -> Fetched:
        line = Line(self.timeout, self.clock)
        line.allow(self.deadline)
        with _ask(url, line, {"If-None-Match": etag} if etag else _NO_HEADERS) as answer:
            body, headers = answer.whole(self.max_bytes), answer.headers
            return Fetched(answer.status, body, headers.get("ETag"), parse_max_age(headers))


@dataclass(frozen=True, slots=True)
class HttpPost:
    """A `Post` under the same rules."""

    max_bytes: int = 65_536
    timeout: float = 3.0
    deadline: float = 5.0
    clock: Callable[[], float] = since_boot

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        line = Line(self.timeout, self.clock)
        line.allow(self.deadline)
        with _ask(url, line, headers, body) as answer:
            return Fetched(answer.status, answer.whole(self.max_bytes))


def connect(url: str, line: Line) -> Exchange:
    """A GET whose answer may come in for as long as `line` allows: a stream, or a long poll."""
    return _ask(
        url, line, {"Accept": "text/event-stream, application/secevent+jwt", "Cache-Control": "no-cache"}
    )


def _ask(url: str, line: Line, headers: Mapping[str, str], body: bytes | None = None) -> Exchange:
    from urllib.error import HTTPError  # noqa: PLC0415 - 40 ms that only a fetch should pay
    from urllib.request import Request  # noqa: PLC0415 - as above

    require_secure(url)
    with _as_fetch_failed():
        request = Request(url, body, {**_OURS, **headers})  # noqa: S310 - require_secure saw the scheme
        try:
            response = _opener(url, line).open(request, timeout=line.seconds_left())
            return Exchange(response.status, response.headers, response)
        except HTTPError as answer:  # urllib's word for every status but 2xx, 304 among them
            answer.close()
            return Exchange(answer.code, answer.headers)


@contextmanager
def _as_fetch_failed() -> Iterator[None]:
    from http.client import HTTPException  # noqa: PLC0415 - as above

    try:
        yield
    except TimeoutError:
        raise TooSlow("no answer in time") from None
    except OSError as error:  # URLError, TLS, a connection that broke
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise TooSlow("no answer in time") from None
        raise FetchFailed(f"no connection: {type(reason).__name__}") from None
    except (HTTPException, ValueError) as error:
        raise FetchFailed(f"{type(error).__name__}: not HTTP") from None


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


def _opener(url: str, line: Line | None = None) -> "OpenerDirector":
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener  # noqa: PLC0415 - see _ask

    class SameOriginOnly(HTTPRedirectHandler):
        def redirect_request(
            self, req: "Request", fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
        ) -> "Request | None":
            if _origin(newurl) != _origin(req.full_url):
                raise FetchFailed("a redirect to another origin")
            fp.close()  # urllib would read it to its end, wherever that is
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    # A proxy cannot reach this machine's loopback; everywhere else the system's proxy settings hold.
    direct = [ProxyHandler({})] if is_loopback(url) else []
    return build_opener(SameOriginOnly, *direct, *(_handlers(line) if line else ()))


def _handlers(line: Line) -> tuple["BaseHandler", ...]:
    """What urllib has, with connections whose answers hang on `line` from their first byte on."""
    from http.client import HTTPConnection, HTTPResponse, HTTPSConnection  # noqa: PLC0415 - see _ask
    from urllib.request import HTTPHandler, HTTPSHandler  # noqa: PLC0415 - see _ask

    class Response(HTTPResponse):
        def __init__(self, sock: "socket", *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp = line.hold(sock, self.fp)

    class Connection(HTTPConnection):
        response_class = Response

    class SecureConnection(HTTPSConnection):
        response_class = Response

    class OnLine(HTTPHandler):
        def http_open(self, req: "Request") -> HTTPResponse:
            return self.do_open(Connection, req)

    class OnSecureLine(HTTPSHandler):
        def https_open(self, req: "Request") -> HTTPResponse:
            return self.do_open(SecureConnection, req)

    return OnLine(), OnSecureLine()
