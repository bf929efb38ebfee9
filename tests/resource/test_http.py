import contextlib
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler
from threading import Event, Thread

import pytest

from authserver.resource.http import (
    Fetched,
    FetchFailed,
    HttpFetch,
    HttpPost,
    connect,
    parse_max_age,
    require_secure,
)
from authserver.resource.line import Line, TooSlow
from tests.resource.wire import Server, begins, falls_silent, says


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.stop()


def test_an_answer_comes_with_its_name_and_lifetime(server: Server) -> None:
    server.answers["/a"] = says(200, b"body", ETag='"1"', Cache_Control="public, max-age=600", Age="100")
    assert HttpFetch()(server.url + "/a", None) == Fetched(200, b"body", '"1"', 500)
    assert server.asked == ["/a"]
    assert server.etags == [None]


def test_an_unchanged_document_is_not_sent_again(server: Server) -> None:
    server.answers["/a"] = says(304, ETag='"1"', Cache_Control="max-age=60")
    assert HttpFetch()(server.url + "/a", '"1"') == Fetched(304, b"", '"1"', 60)
    assert server.etags == ['"1"']


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
    assert server.asked == ["/a"]


def test_a_redirect_loop_ends(server: Server) -> None:
    server.answers["/a"] = says(302, Location="/a")
    with contextlib.suppress(FetchFailed):
        assert HttpFetch()(server.url + "/a", None).status == 302
    assert len(server.asked) < 20


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


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;"]
)
def test_headers_and_chunks_that_drip_are_given_up_too(server: Server, start: bytes) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(start)
        while not server.stopping.wait(0.01):
            request.wfile.write(b"x")

    server.answers["/a"] = drip
    with pytest.raises(TooSlow):
        HttpFetch(timeout=5, deadline=0.2)(server.url + "/a", None)


def test_the_body_of_a_redirect_is_not_read(server: Server) -> None:
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", "/b")
        request.end_headers()
        while not server.stopping.is_set():
            request.wfile.write(b"x" * 65_536)

    server.answers |= {"/a": endless, "/b": says(200, b"here")}
    assert HttpFetch()(server.url + "/a", None).body == b"here"


def test_an_answer_can_be_read_as_it_comes(server: Server) -> None:
    go_on = Event()

    def in_two(request: BaseHTTPRequestHandler) -> None:
        begins(request)
        request.wfile.write(b"one")
        assert go_on.wait(5)
        request.wfile.write(b"two")

    server.answers["/a"] = in_two
    with connect(server.url + "/a", Line(5)) as answer:
        assert (answer.status, answer.media_type) == (200, "text/event-stream")
        assert answer.read() == b"one"
        go_on.set()
        assert answer.read() == b"two"
        assert answer.read() == b""


def test_silence_ends_an_answer_that_may_take_long(server: Server) -> None:
    server.answers["/a"] = falls_silent(server.stopping)
    line = Line(0.05)
    line.allow(60)
    with connect(server.url + "/a", line) as answer, pytest.raises(TooSlow):
        answer.read()


@pytest.mark.parametrize("begun", [False, True])
def test_another_thread_can_hang_up_at_any_time(server: Server, begun: bool) -> None:
    waiting = Event()
    outcome: list[bytes | FetchFailed] = []

    def never(request: BaseHTTPRequestHandler) -> None:
        if begun:
            begins(request)
        waiting.set()
        server.stopping.wait(5)

    def read(line: Line) -> None:
        try:
            with connect(server.url + "/a", line) as answer:
                outcome.append(answer.read())
        except FetchFailed as failed:
            outcome.append(failed)

    server.answers["/a"] = never
    line = Line(60)
    thread = Thread(target=read, args=(line,))
    thread.start()
    assert waiting.wait(5)
    line.hang_up()
    thread.join(2)
    assert not thread.is_alive()
    assert len(outcome) == 1
    with pytest.raises(FetchFailed, match="hung up"):
        connect(server.url + "/a", line)


def test_a_forked_child_does_not_hang_up_on_its_parent() -> None:
    line = Line(60)
    line._pid += 1
    line.hang_up()
    assert not line._is_down


def test_a_stream_has_to_be_https_too() -> None:
    with pytest.raises(ValueError, match="https"):
        connect("http://login.example.com/", Line(5))


def test_a_redirect_of_a_stream_may_not_leave_its_origin(server: Server) -> None:
    server.answers["/a"] = says(302, Location=server.url.replace("127.0.0.1", "localhost") + "/b")
    with pytest.raises(FetchFailed, match="another origin"):
        connect(server.url + "/a", Line(5))


def test_a_body_is_posted_with_its_type(server: Server) -> None:
    bodies = []

    def take(request: BaseHTTPRequestHandler) -> None:
        bodies.append((request.command, request.headers["Content-Type"], request.rfile.read(2)))
        says(204)(request)

    server.answers["/a"] = take
    answer = HttpPost()(server.url + "/a", {"Content-Type": "application/json"}, b"{}")
    assert answer == Fetched(204, b"")
    assert bodies == [("POST", "application/json", b"{}")]
    server.answers["/a"] = says(404, b"no")
    assert HttpPost()(server.url + "/a", {}, b"{}").status == 404


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
