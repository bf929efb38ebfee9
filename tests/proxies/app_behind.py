"""The app behind the proxy: it says what it was asked, opens a WebSocket to whoever gets so far, and counts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.processes import HOST


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived, headers in their own spelling."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: str

    def values(self, name: str) -> list[str]:
        """Every value that a CGI or WSGI app would read as this header: `-` and `_` are one to it."""
        wanted = name.lower().replace("-", "_")
        return [value for key, value in self.headers if key.lower().replace("-", "_") == wanted]


@dataclass(slots=True)
class AppBehind:
    """A running app and what it has seen."""

    port: int
    seen: list[Seen] = field(default_factory=list)


@contextmanager
def app_behind() -> Iterator[AppBehind]:
    app = AppBehind(0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            app.seen.append(Seen(self.command, self.path, self.headers.items(), body.decode()))
            if self.headers.get("Upgrade") == "websocket":
                self._open()
            else:
                self._say({"you": self.headers.get("X-Auth-Subject"), "body": body.decode()})

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the standard library looks for these

        def _open(self) -> None:
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(b"\x81\x05hello")  # RFC 6455 §5.7: one unmasked text frame
            self.close_connection = True

        def _say(self, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
            """Nothing: a test that fails says enough."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        app.port = server.server_address[1]
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield app
        server.shutdown()
