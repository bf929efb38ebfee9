"""No answer is a no, and so is every answer that is not a plain yes."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.processes import HOST, free_ports
from tests.proxies.app_behind import app_behind
from tests.proxies.asking import ask
from tests.proxies.conftest import PAGE, Person
from tests.proxies.running import PROXIES


@contextmanager
def in_place_of_authserver(status: int | None) -> Iterator[int]:
    """Something that answers each question like this; None takes it and says nothing more."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if status is not None:
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("X-Auth-Subject", "nobody")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
            """Nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("status", [None, 302, 400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("kind", list(PROXIES))
def test_any_answer_but_yes_keeps_the_door_closed(
    kind: str, status: int | None, who_signed_in_elsewhere: Person, tmp_path: Path
) -> None:
    proxy = free_ports()
    with app_behind() as app, in_place_of_authserver(status) as authserver_port:
        with PROXIES[kind](tmp_path, (proxy, authserver_port, app.port)):
            answer = ask(proxy, "/", who_signed_in_elsewhere.cookie)
        assert not app.seen
        assert answer.status >= 300


@pytest.mark.parametrize("kind", list(PROXIES))
def test_while_authserver_is_away_nobody_passes(
    kind: str, who_signed_in_elsewhere: Person, tmp_path: Path
) -> None:
    proxy = free_ports()
    with app_behind() as app, PROXIES[kind](tmp_path, (proxy, proxy + 1, app.port)):
        statuses = [
            ask(proxy, path, headers).status
            for path in ("/", "/admin/")
            for headers in (PAGE, who_signed_in_elsewhere.cookie, who_signed_in_elsewhere.bearer)
        ]
        assert ask(proxy, "/public/x").status == 200
    assert set(statuses) == {502}
    assert [seen.path for seen in app.seen] == ["/public/x"]


@pytest.fixture
def who_signed_in_elsewhere() -> Person:
    return Person("s", "x.y.z")
