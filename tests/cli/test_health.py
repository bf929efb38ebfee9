"""`authserver health`: asks over real loopback HTTP."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.cli.conftest import Cli, on_sqlite

pytestmark = on_sqlite


class Answering(BaseHTTPRequestHandler):
    """Answers by the port's `answers`: path → status and body."""

    answers: dict[str, tuple[int, bytes]]

    def do_GET(self) -> None:
        status, body = self.answers.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def answers() -> dict[str, tuple[int, bytes]]:
    return {"/elsewhere": (200, b"{}")}


@pytest.fixture
def url(answers: dict[str, tuple[int, bytes]]) -> Iterator[str]:
    handler = type("Handler", (Answering,), {"answers": answers})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_ready_server_is_ready(cli: Cli, url: str, answers: dict[str, tuple[int, bytes]]) -> None:
    answers["/readyz"] = (200, b'{"status": "ok"}')
    assert cli.facts("health", "--url", url) == {"ready": True, "url": url, "why": None}
    assert cli("health", "--url", f"{url}/").stdout == f"{url} is ready.\n"


def test_server_that_is_not_ready_says_why(cli: Cli, url: str, answers: dict[str, tuple[int, bytes]]) -> None:
    answers["/readyz"] = (503, b'{"status": "not ready", "why": "there is no key yet"}')
    assert cli.facts("health", "--url", url, code=1)["why"] == "there is no key yet"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_other_answer_is_not_ready(
    cli: Cli, url: str, answers: dict[str, tuple[int, bytes]], status: int
) -> None:
    answers["/readyz"] = (status, b"<html>")
    assert cli.facts("health", "--url", url, code=1)["why"] == f"it answered {status}"


def test_silence_is_not_ready(cli: Cli) -> None:
    assert "does not answer" in cli.facts("health", "--url", "http://127.0.0.1:1", code=1)["why"]


def test_proxy_of_the_environment_is_not_asked(
    cli: Cli, url: str, answers: dict[str, tuple[int, bytes]]
) -> None:
    answers["/readyz"] = (200, b"{}")
    cli.env |= {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    assert cli("health", "--url", url).exit_code == 0


@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1", "localhost", "file:///etc/passwd"])
def test_address_that_anybody_could_answer_for_is_refused(cli: Cli, url: str) -> None:
    assert "--url is an https URL" in cli.refusal("health", "--url", url, code=2)
