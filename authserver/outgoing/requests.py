"""Sends one request to a URL that somebody else chose, within limits of place, time and size.

1. the URL: https and plain (http to this machine in development)
2. the name is resolved, once, in the time there is; addresses.py says which of its addresses may be reached
3. a connection to that address: no second look at DNS between the check and the connection
4. TLS for the name, which the certificate has to carry, and `Host` of the name
5. one answer: no redirect is followed, no cookie kept, and no proxy of the environment used

A whole request takes at most five seconds, whoever drips its answer byte by byte.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlencode

from authserver.outgoing.addresses import Address, Network, is_loopback, may_be_reached
from authserver.outgoing.names import Resolve, in_time, look_up
from authserver.outgoing.urls import Place, place_of
from authserver.protocol.media import FORM, JSON
from authserver.resource.line import FetchFailed, Line, TooSlow
from authserver.resource.since_boot import since_boot
from authserver.resource.strict_json import MalformedJSON, strict_json

EACH_WAIT: Final = 3.0  # seconds: for a connection above all
ALTOGETHER: Final = 5.0
LARGEST: Final = 64 * 1024
MOST_ADDRESSES: Final = 3
OK: Final = 200
AGENT: Final = "authserver"


class NotSent(Exception):
    """There is no usable answer. `code` says why in one word that is safe to keep and to show."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` has at most `LARGEST` bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Outgoing:
    """The way out. Safe to use from several threads.

    :param development: http to this machine is allowed, as `authserver dev` runs apps there.
    :param also: networks that the operator trusts, however private.
    """

    development: bool = False
    also: Sequence[Network] = ()
    resolve: Resolve = look_up
    trusted: Callable[[], ssl.SSLContext] = ssl.create_default_context
    clock: Callable[[], float] = since_boot

    def post_form(self, url: str, fields: Mapping[str, str]) -> int:
        """Post a form and answer the status. The body is not read.

        :raises NotSent: nobody knows whether it arrived.
        """
        body = urlencode(fields).encode("ascii")
        with self._ask("POST", url, {"Content-Type": FORM}, body) as response:
            return response.status

    def get(self, url: str, accept: str) -> Answer:
        """Get a small document.

        :raises NotSent: there is no answer, or it is too large.
        """
        with self._ask("GET", url, {"Accept": accept}) as response:
            body = response.read(LARGEST + 1)
            if len(body) > LARGEST:
                raise NotSent("too_large")
            if response.length:  # the connection ended before Content-Length was reached
                raise NotSent("incomplete")
            return Answer(response.status, {name.lower(): text for name, text in response.getheaders()}, body)

    def fetch_json(self, url: str) -> Mapping[str, Any]:
        """Get a JSON object.

        :raises NotSent: there is none.
        """
        answer = self.get(url, JSON)
        if answer.status != OK:
            raise NotSent(f"http_{answer.status}")
        try:
            return strict_json(answer.body)
        except MalformedJSON:
            raise NotSent("not_json") from None

    @contextmanager
    def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[HTTPResponse]:
        line = Line(EACH_WAIT, self.clock)
        line.allow(ALTOGETHER)
        with _named_failures():
            place = place_of(url)
            if place is None or not (place.secure or self.development):
                raise NotSent("bad_url")
            with closing(self._connected(place, line)) as connected:
                _write(connected, place, line, method, headers, body)
                with closing(
                    HTTPResponse(connected, method=method)
                ) as response:  # it holds the socket as well
                    response.fp = line.hold(connected, response.fp)
                    response.begin()
                    yield response

    def _connected(self, place: Place, line: Line) -> socket.socket:
        last: OSError | None = None
        for address in self._addresses(place, line):
            try:
                plain = socket.create_connection((str(address), place.port), timeout=line.seconds_left())
            except OSError as error:
                last = error
                continue
            return self._secured(plain, place, line) if place.secure else plain
        raise last or NotSent("refused_address")

    def _addresses(self, place: Place, line: Line) -> list[Address]:
        """Answer where to go, which is nowhere if no address of this name may be reached."""
        found = in_time(lambda: self.resolve(place.host), line.seconds_left())
        addresses = [ip_address(text) for text in dict.fromkeys(found)]
        allowed = [each for each in addresses if self._allowed(each, place)]
        return allowed[:MOST_ADDRESSES]

    def _allowed(self, address: Address, place: Place) -> bool:
        if not place.secure:
            return is_loopback(address)
        return may_be_reached(address, loopback=self.development, also=self.also)

    def _secured(self, plain: socket.socket, place: Place, line: Line) -> socket.socket:
        try:
            plain.settimeout(line.seconds_left())
            return self._context.wrap_socket(plain, server_hostname=place.host)
        except BaseException:
            plain.close()
            raise

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return self.trusted()  # reads some hundred certificates: once, and only if anything is sent


def _write(
    connected: socket.socket,
    place: Place,
    line: Line,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> None:
    connection = HTTPConnection(place.host, place.port)
    connection.sock = connected
    connected.settimeout(line.seconds_left())
    ours = {"Host": place.authority, "User-Agent": AGENT, "Connection": "close"}
    connection.request(method, place.target, body, {**ours, **headers})


@contextmanager
def _named_failures() -> Iterator[None]:
    """One short word for each kind of trouble; what the other side said stays out of our tables and logs."""
    try:
        yield
    except (TimeoutError, TooSlow):
        raise NotSent("too_slow") from None
    except socket.gaierror:
        raise NotSent("no_such_host") from None
    except ssl.SSLCertVerificationError:
        raise NotSent("bad_certificate") from None
    except ssl.SSLError:
        raise NotSent("bad_tls") from None
    except (FetchFailed, OSError):
        raise NotSent("no_connection") from None
    except (HTTPException, ValueError):
        raise NotSent("not_http") from None
