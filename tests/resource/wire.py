"""A small web server on loopback whose answers are functions, and one that speaks for a LocalIssuer."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authserver.protocol import paths
from authserver.protocol.revocation import EVENT
from authserver.resource.testing import LocalIssuer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Answers by path, notes what was asked, and lets go of whoever is still being answered when it stops."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.etags: list[str | None] = []
        self.stopping = Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append(self.path)
                outer.etags.append(self.headers.get("If-None-Match"))
                self.close_connection = True
                try:
                    outer.answers[urlsplit(self.path).path](self)
                    self.wfile.flush()
                except OSError:
                    return  # whoever asked has gone

            do_POST = do_GET  # noqa: N815 - http.server's word

            def log_message(self, *args: object) -> None: ...

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self.http.shutdown()
        self.http.server_close()

    def count(self, path: str) -> int:
        return sum(urlsplit(asked).path == path for asked in self.asked)


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def begins(request: BaseHTTPRequestHandler, media_type: str = "text/event-stream") -> None:
    """The head of an answer that ends with its connection."""
    request.send_response(200)
    request.send_header("Content-Type", media_type)
    request.send_header("Connection", "close")
    request.end_headers()


def falls_silent(until: Event) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        begins(request)
        until.wait(2)

    return answer


def event(document: str) -> bytes:
    return f"event: revocations\ndata: {document}\n\n".encode()


def stands(document: str) -> tuple[int, str]:
    """Where a reader of this document stands."""
    payload = document.split(".")[1]
    said = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["events"][EVENT]
    return said["sequence"], said["mark"]


class IssuerServer(Server):
    """The feed of a LocalIssuer in all three ways. `tell` wakes its streams, `cut` ends them."""

    def __init__(self, issuer: LocalIssuer, heartbeat: float = 60.0) -> None:
        super().__init__()
        issuer.url = self.url
        self.issuer, self.heartbeat = issuer, heartbeat
        self.streams: list[Queue[bytes | None]] = []
        self.opened = Event()
        self.reports: Queue[dict[str, Any]] = Queue()
        self.answers = {
            paths.JWKS: self._fetched,
            paths.REVOCATIONS: self._fetched,
            paths.REVOCATION_STREAM: self.stream,
            paths.HEARD: self._heard,
        }

    def tell(self, *pieces: bytes) -> None:
        """Push `pieces` into each stream, or without any what is new."""
        for stream in self.streams:
            for piece in pieces or (b"",):
                stream.put(piece)

    def cut(self) -> None:
        self.opened.clear()
        for stream in self.streams:
            stream.put(None)
        self.streams.clear()

    def stream(self, request: BaseHTTPRequestHandler) -> None:
        since = self._since(request)
        news: Queue[bytes | None] = Queue()
        self.streams.append(news)
        begins(request)
        piece: bytes | None = b""
        while piece is not None:
            if not piece:
                document = self.issuer.revocations(since)
                since, piece = stands(document), event(document)
            request.wfile.write(piece)
            self.opened.set()
            piece = news.get()

    @property
    def _position(self) -> tuple[int, str]:
        return len(self.issuer._marks) - 1, self.issuer._marks[-1]

    def _since(self, request: BaseHTTPRequestHandler) -> tuple[int, str] | None:
        asked = dict(parse_qsl(urlsplit(request.path).query))
        return (int(asked["since"]), asked["mark"]) if "since" in asked else None

    def _fetched(self, request: BaseHTTPRequestHandler) -> None:
        asked = dict(parse_qsl(urlsplit(request.path).query))
        if "wait" in asked and self._since(request) == self._position:
            self.opened.set()
            news: Queue[bytes | None] = Queue()
            self.streams.append(news)
            news.get()
        fetched = self.issuer.fetch(self.url + request.path, None)
        says(fetched.status, fetched.body)(request)

    def _heard(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        says(204)(request)
        self.reports.put(json.loads(body))
