"""Peers who do nothing do not keep a connection: real sockets, and a patience of a moment."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.importer import import_from_string

from authserver.app import Server
from authserver.cli import dev, serve
from authserver.web import connection
from authserver.web.connection import LARGEST_HEAD, TCP_USER_TIMEOUT, Connection
from tests.attacks.fast_servers import logs_of_production
from tests.attacks.marks import SQLITE_ONLY
from tests.conftest import MakeSettings

__all__ = ["logs_of_production"]

MOMENT = 0.2
PATIENCE = 8.0
MUCH = b"x" * 20_000_000  # more than the kernel takes for a peer that takes nothing
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(2.5 * MOMENT)
    body = MUCH if scope["path"] == "/much" else b"little"
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    config = uvicorn.Config(app, http=Connection, lifespan="off", log_config=None)
    server, listener = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield server, listener.getsockname()[1]
    finally:
        await server.shutdown(sockets=[listener])


@contextmanager
def peer(port: int, says: bytes) -> Iterator[socket.socket]:
    """One that takes hardly anything, and reads only when the test does."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.connect(("127.0.0.1", port))
        made.sendall(says)
        yield made


async def until(done: Callable[[], bool]) -> bool:
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110 - uvicorn keeps its connections in a set and tells nobody
            await asyncio.sleep(0.01)
    return True


@pytest.mark.skipif(TCP_USER_TIMEOUT is None, reason="only Linux has TCP_USER_TIMEOUT")
@pytest.mark.anyio
async def test_a_peer_that_reads_nothing_is_dropped_with_all_that_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its end is alive and acknowledges every question, so nothing but this would ever end it."""
    monkeypatch.setattr(connection, "DEAF_FOR", MOMENT)
    async with serving() as (server, port):
        with peer(port, REQUEST.replace(b"/ ", b"/much ", 1)):
            await until(lambda: bool(server.server_state.connections))
            assert await until(lambda: not server.server_state.connections)


@pytest.mark.parametrize("head", [b"", b"G", REQUEST[:-2], REQUEST + b"GET"])
@pytest.mark.anyio
async def test_a_request_whose_head_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", MOMENT)
    async with serving() as (server, port):
        with peer(port, head):
            await until(lambda: bool(server.server_state.connections))
            assert await until(lambda: not server.server_state.connections)


async def flood(writer: asyncio.StreamWriter) -> None:
    for _ in range(1_000):
        writer.write(b"a" * LARGEST_HEAD)
        await writer.drain()


@pytest.mark.anyio
@pytest.mark.parametrize("before", [b"", REQUEST.replace(b"/ ", b"/slow ", 1)])
async def test_a_head_without_an_end_is_not_kept(before: bytes) -> None:
    async with serving() as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(before + REQUEST[:-2] + b"A: ")
        with pytest.raises(ConnectionError):
            await flood(writer)
        writer.close()


@pytest.mark.anyio
async def test_who_asks_and_reads_is_answered_however_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_WITHIN", MOMENT)
    async with serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(REQUEST)
            assert (await reader.readuntil(b"little")).startswith(b"HTTP/1.1 200")
        writer.close()


@pytest.mark.anyio
async def test_an_answer_may_take_longer_than_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams last for days; and a head that begins meanwhile is no reason to end one."""
    monkeypatch.setattr(connection, "HEAD_WITHIN", MOMENT)
    async with serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST.replace(b"/ ", b"/slow ", 1) + b"GET")
        assert (await reader.read()).endswith(b"little")
        writer.close()


def test_serve_listens_like_that(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[dict[str, Any]] = []
    monkeypatch.setattr(uvicorn, "run", lambda _app, **how: chosen.append(how))
    serve._run("127.0.0.1", 0, 2, "127.0.0.1")
    assert import_from_string(chosen[0]["http"]) is Connection


@SQLITE_ONLY
def test_so_does_dev(make_settings: MakeSettings, logs_of_production: None, tmp_path: Path) -> None:
    made = dev._server(dev.Demo(tmp_path, 0), make_settings())
    login: Server = made.config.app  # type: ignore[assignment]  # an application like any other, for uvicorn
    login.runner.close()
    login.capabilities.database.close()
    assert import_from_string(made.config.http) is Connection
