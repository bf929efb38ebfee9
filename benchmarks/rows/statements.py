"""What one request asks of the database, counted where it leaves: SQLAlchemy is listened to while the real
application answers.
"""

import asyncio
from collections import Counter
from contextlib import closing
from typing import Any, Final

from sqlalchemy import event
from starlette.types import Message, Scope

from authserver.app import Server, create_app
from authserver.protocol import cookies
from benchmarks.installation import Installation

READS: Final = frozenset(("SELECT", "WITH"))
WRITES: Final = frozenset(("INSERT", "UPDATE", "DELETE", "MERGE"))


def of_refresh(installed: Installation) -> Counter[str]:
    """Answer the first words of every statement that one POST /session/refresh sends."""
    server = create_app(installed.settings)
    with closing(server.capabilities.database), closing(server.runner):
        server.start()
        asyncio.run(_refresh(server, installed))  # the first request also compiles its statements
        words = _listen(server)
        status = asyncio.run(_refresh(server, installed))
    assert status == 200, status
    return words


def _listen(server: Server) -> Counter[str]:
    words: Counter[str] = Counter()

    @event.listens_for(server.capabilities.database.engine, "before_cursor_execute")
    def note(_db: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        words[statement.split(None, 1)[0].upper()] += 1

    return words


async def _refresh(server: Server, installed: Installation) -> int:
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await server(_scope(installed), receive, send)
    return statuses[0]


def _scope(installed: Installation) -> Scope:
    cookie = f"{cookies.SESSION}={installed.secrets[0]}"
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/session/refresh",
        "raw_path": b"/session/refresh",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"cookie", cookie.encode())],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", installed.port),
        "state": {},
    }
