"""Requests over real sockets: where they go, what they say, and when they end."""

import itertools
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey

from authserver.outgoing.requests import LARGEST, NotSent, Outgoing
from tests.signing_keys import ec_key_pairs

NAME = "app.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Other:
    """The other side: answers each connection with the same bytes, and keeps what was asked."""

    answer: bytes = OK
    then: Callable[[socket.socket], object] = lambda _: None
    context: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def listen(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        with suppress(OSError):
            while True:
                connected, _ = listener.accept()
                self.connections += 1
                Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        with suppress(OSError), connected:
            connected.settimeout(5)
            if self.context is None:
                self._talk(connected)
                return
            with self.context.wrap_socket(connected, server_side=True) as wrapped:
                self._talk(wrapped)

    def _talk(self, connected: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := connected.recv(65_536)):
                return
            head += piece
        self.asked.append(head.decode())
        connected.sendall(self.answer)
        self.then(connected)

    def url(self, host: str = "127.0.0.1", scheme: str = "http", path: str = "/bye") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@pytest.fixture
def other() -> Iterator[Other]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Other(port=listener.getsockname()[1])
        Thread(target=made.listen, args=(listener,), daemon=True).start()
        yield made
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """For app.example, by itself, with a key that lies in a file."""
    folder = tmp_path_factory.mktemp("tls")
    key = ECKey.import_key(ec_key_pairs()[0]).private_key
    assert key is not None
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture
def secure(other: Other, certificate: tuple[Path, Path]) -> Other:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _socket, name, _context: other.names.append(name)
    other.context = context
    return other


def trusting(certificate: tuple[Path, Path], resolve: Callable[[str], list[str]]) -> Outgoing:
    return Outgoing(
        development=True,
        resolve=resolve,
        trusted=lambda: ssl.create_default_context(cafile=str(certificate[0])),
    )


def here(_name: str) -> list[str]:
    return ["127.0.0.1"]


def why_not(request: Callable[[], object]) -> str:
    with pytest.raises(NotSent) as failure:
        request()
    return failure.value.code


DEVELOPMENT = Outgoing(development=True)


def test_form_is_posted_and_the_status_answered(other: Other) -> None:
    other.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    assert DEVELOPMENT.post_form(other.url(), {"logout_token": "a.b.c", "x": "ü&"}) == 204
    [asked] = other.asked
    assert asked.startswith("POST /bye HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{other.port}\r\n" in asked
    assert "\r\nContent-Type: application/x-www-form-urlencoded\r\n" in asked
    assert "\r\nUser-Agent: authserver\r\n" in asked


def test_json_is_fetched(other: Other) -> None:
    other.answer = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"keys":[]}'
    assert DEVELOPMENT.fetch_json(other.url()) == {"keys": []}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "http_404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "not_json"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", "not_json"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"a":1,"a":2}', "not_json"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "incomplete"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}", "not_http"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not_http"),
        (b"", "no_connection"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 500 + b"\r\n{}", "not_http"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (LARGEST + 1), "too_large"),
    ],
)
def test_answer_that_is_no_good_has_a_word(other: Other, answer: bytes, code: str) -> None:
    other.answer = answer
    assert why_not(lambda: DEVELOPMENT.fetch_json(other.url())) == code


def test_body_without_end_is_not_read_to_its_end(other: Other) -> None:
    sent = Event()

    def flood(connected: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connected.sendall(b" " * 65_536)
        sent.set()

    other.answer, other.then = b"HTTP/1.1 200 OK\r\n\r\n", flood
    assert why_not(lambda: DEVELOPMENT.get(other.url(), "*/*")) == "too_large"
    assert DEVELOPMENT.post_form(other.url(), {}) == 200
    assert sent.wait(5)


def test_redirect_is_an_answer_and_is_not_followed(other: Other) -> None:
    other.answer = f"HTTP/1.1 302 Found\r\nLocation: {other.url(path='/there')}\r\n\r\n".encode()
    assert DEVELOPMENT.post_form(other.url(), {}) == 302
    assert why_not(lambda: DEVELOPMENT.fetch_json(other.url())) == "http_302"
    assert other.connections == 2


def test_cookies_are_not_kept(other: Other) -> None:
    other.answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    for _ in range(2):
        DEVELOPMENT.post_form(other.url(), {})
    assert not any("cookie" in asked.lower() for asked in other.asked)


def test_proxies_of_the_environment_are_not_used(other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert DEVELOPMENT.post_form(other.url(), {}) == 200


# Where a request may go


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]"]
)
def test_this_machine_is_not_reached_in_production(other: Other, host: str) -> None:
    assert why_not(lambda: Outgoing().post_form(other.url(host, "https"), {})) == "refused_address"
    assert other.connections == 0


def test_plain_http_is_for_this_machine_in_development(other: Other) -> None:
    assert why_not(lambda: Outgoing().post_form(other.url(), {})) == "bad_url"
    elsewhere = Outgoing(development=True, resolve=lambda _: ["93.184.215.14"])
    assert why_not(lambda: elsewhere.post_form(other.url(NAME), {})) == "refused_address"


def test_only_the_checked_addresses_of_a_name_are_connected_to(other: Other) -> None:
    mixed = Outgoing(development=True, resolve=lambda _: ["10.0.0.1", "127.0.0.1", "169.254.169.254"])
    assert mixed.post_form(other.url(NAME), {}) == 200
    inside = Outgoing(development=True, resolve=lambda _: ["10.0.0.1", "::ffff:127.0.0.1"])
    assert why_not(lambda: inside.post_form(other.url(NAME, "https"), {})) == "refused_address"


def test_name_is_looked_up_once_so_that_it_cannot_change_in_between(other: Other) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    rebinding = Outgoing(development=True, resolve=lambda _: next(answers))
    assert rebinding.post_form(other.url(NAME), {}) == 200
    assert next(answers) == ["10.0.0.1"]  # nobody had asked for it


def test_unknown_name_and_shut_port_have_words(other: Other) -> None:
    def unknown(_name: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    nobody = Outgoing(development=True, resolve=unknown)
    assert why_not(lambda: nobody.post_form(other.url(NAME), {})) == "no_such_host"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert why_not(lambda: DEVELOPMENT.post_form(f"http://127.0.0.1:{port}/", {})) == "no_connection"


# TLS


def test_connection_goes_to_the_address_and_the_certificate_is_for_the_name(
    secure: Other, certificate: tuple[Path, Path]
) -> None:
    outgoing = trusting(certificate, here)
    assert outgoing.post_form(secure.url(NAME, "https"), {}) == 200
    assert secure.names == [NAME]
    assert f"\r\nHost: {NAME}:{secure.port}\r\n" in secure.asked[0]


def test_certificate_for_another_name_is_refused(secure: Other, certificate: tuple[Path, Path]) -> None:
    outgoing = trusting(certificate, here)
    assert why_not(lambda: outgoing.post_form(secure.url("evil.example", "https"), {})) == "bad_certificate"
    assert secure.asked == []


def test_certificate_that_nobody_vouches_for_is_refused(secure: Other) -> None:
    outgoing = Outgoing(development=True, resolve=here)
    assert why_not(lambda: outgoing.post_form(secure.url(NAME, "https"), {})) == "bad_certificate"


def test_plain_http_behind_https_is_refused(other: Other) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_greet, args=(listener,), daemon=True).start()
        url = f"https://{NAME}:{listener.getsockname()[1]}/"
        assert why_not(lambda: Outgoing(development=True, resolve=here).post_form(url, {})) == "bad_tls"


def _greet(listener: socket.socket) -> None:
    connected, _ = listener.accept()
    with connected:
        connected.sendall(OK)
        connected.recv(65_536)


# Time


def test_answer_that_drips_ends_in_time(other: Other) -> None:
    """Each look at the clock finds more than a second gone, so nobody has to wait here: the second read is too late."""

    def drip(connected: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connected.sendall(b"x")

    other.answer, other.then = b"HTTP/1.1 200 OK\r\nX-Endless: ", drip
    ticks = itertools.count(step=1.2)
    hurried = Outgoing(development=True, clock=lambda: next(ticks))
    assert why_not(lambda: hurried.post_form(other.url(), {})) == "too_slow"


def test_answer_that_never_begins_ends_in_time(other: Other) -> None:
    over = Event()
    other.answer, other.then = b"", lambda _: over.wait(5)
    times = iter([0.0, 0.0, 0.0, 0.0, 4.99, 4.99, 4.99, 4.99, 6.0, 6.0])
    hurried = Outgoing(development=True, clock=lambda: next(times, 6.0))
    assert why_not(lambda: hurried.post_form(other.url(), {})) == "too_slow"
    over.set()


def test_name_that_nobody_answers_for_ends_in_time(other: Other) -> None:
    over = Event()
    times = iter([0.0, 4.99])
    stuck = Outgoing(
        development=True,
        resolve=lambda _: [str(over.wait(5))],
        clock=lambda: next(times, 4.99),
    )
    assert why_not(lambda: stuck.post_form(other.url(NAME), {})) == "too_slow"
    over.set()
    assert other.connections == 0
