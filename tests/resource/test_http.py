import contextlib
from collections.abc import Callable, Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from authserver.resource.http import Fetched, FetchFailed, HttpFetch, parse_max_age, require_secure

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A web server on loopback whose answers are functions."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, self.headers.get("If-None-Match")))
                outer.answers[self.path](self)

            def log_message(self, *args: object) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.http.shutdown()
    running.http.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_an_answer_comes_with_its_name_and_lifetime(server: Server) -> None:
    server.answers["/a"] = says(200, b"body", ETag='"1"', Cache_Control="public, max-age=600", Age="100")
    assert HttpFetch()(server.url + "/a", None) == Fetched(200, b"body", '"1"', 500)
    assert server.seen == [("/a", None)]


def test_an_unchanged_document_is_not_sent_again(server: Server) -> None:
    server.answers["/a"] = says(304, ETag='"1"', Cache_Control="max-age=60")
    assert HttpFetch()(server.url + "/a", '"1"') == Fetched(304, b"", '"1"', 60)
    assert server.seen == [("/a", '"1"')]


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_error_status_is_an_answer(server: Server, status: int) -> None:
    server.answers["/a"] = says(status, b"<html>" * 100)
    assert HttpFetch()(server.url + "/a", None).status == status


def test_a_redirect_within_the_origin_is_followed(server: Server) -> None:
    server.answers["/a"] = says(302, Location="/b")
    server.answers["/b"] = says(200, b"here")
    assert HttpFetch()(server.url + "/a", None).body == b"here"


def test_j11_a_redirect_to_another_origin_is_not_followed(server: Server) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    server.answers["/a"] = says(302, Location=other + "/b")
    with pytest.raises(FetchFailed, match="another origin"):
        HttpFetch()(server.url + "/a", None)
    assert [path for path, _ in server.seen] == ["/a"]


def test_a_redirect_loop_ends(server: Server) -> None:
    server.answers["/a"] = says(302, Location="/a")
    with contextlib.suppress(FetchFailed):
        assert HttpFetch()(server.url + "/a", None).status == 302
    assert len(server.seen) < 20


def test_an_answer_that_is_too_large_is_given_up(server: Server) -> None:
    server.answers["/a"] = says(200, b"x" * 5_000)
    with pytest.raises(FetchFailed, match="too large"):
        HttpFetch(max_bytes=4_999)(server.url + "/a", None)
    assert len(HttpFetch(max_bytes=5_000)(server.url + "/a", None).body) == 5_000


def test_an_answer_that_drips_is_given_up(server: Server) -> None:
    ticks = iter(range(0, 1000, 6))
    server.answers["/a"] = says(200, b"x" * 500_000)
    with pytest.raises(FetchFailed, match="too slow"):
        HttpFetch(deadline=5, clock=lambda: float(next(ticks)))(server.url + "/a", None)


def test_an_answer_that_ends_early_is_incomplete(server: Server) -> None:
    server.answers["/a"] = says(200, b"half", Content_Length="8")
    with pytest.raises(FetchFailed):
        HttpFetch()(server.url + "/a", None)


def test_what_is_no_http_and_what_does_not_listen_fails_the_same_way(server: Server) -> None:
    def ssh(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"SSH-2.0-x\r\n\r\n")

    server.answers["/a"] = ssh
    with pytest.raises(FetchFailed):
        HttpFetch()(server.url + "/a", None)
    with pytest.raises(FetchFailed):
        HttpFetch(timeout=0.5)("http://127.0.0.1:1/", None)


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com/",
        "ftp://login.example.com/",
        "file:///etc/passwd",
        "//login.example.com",
        "http://127.0.0.1.evil.example/",
        "http://localhost@evil.example/",
    ],
)
def test_only_https_leaves_the_machine(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        HttpFetch()(url, None)


@pytest.mark.parametrize(
    "url", ["https://login.example.com", "http://localhost:8000", "http://127.0.0.1", "http://[::1]:1"]
)
def test_https_and_loopback_are_fine(url: str) -> None:
    require_secure(url)


@pytest.mark.parametrize(
    ("value", "age", "expected"),
    [
        ("max-age=300", None, 300),
        ("public, MAX-AGE=300, stale-if-error=60", None, 300),
        ("max-age=300", "400", 0),
        ("max-age=300", "x", 300),
        ("no-cache, max-age=300", None, 0),
        ("no-store", None, 0),
        ("max-age=-1", None, None),
        ("max-age=1e9", None, None),
        ("max-age=" + "9" * 400, None, None),
        ("max-age=²", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_lifetime_is_what_is_left_of_max_age(
    value: str | None, age: str | None, expected: float | None
) -> None:
    headers = Message()
    for name, text in (("Cache-Control", value), ("Age", age)):
        if text is not None:
            headers[name] = text
    assert parse_max_age(headers) == expected
