"""The least that an ASGI server can do: one answer, the same bytes and headers as ours, and nothing else.

What it reaches is the limit of uvicorn, uvloop and httptools; a document of ours is measured against it.
"""

import json
import os
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

VARIABLE: Final = "BENCHMARKS_ANSWER"
BY_UVICORN: Final = frozenset(("date", "server"))


def copy_answer(port: int, path: str, file: Path) -> dict[str, str]:
    """Keep what a server answers, and say by which variable `create` finds it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in BY_UVICORN]
    file.write_text(json.dumps({"headers": headers, "body": answer.read().decode()}))
    connection.close()
    return {VARIABLE: str(file)}


def create() -> ASGIApp:
    """Build the application that answers what was kept."""
    kept = json.loads(Path(os.environ[VARIABLE]).read_text())
    headers = [(name.lower().encode(), value.encode()) for name, value in kept["headers"]]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    body = {"type": "http.response.body", "body": kept["body"].encode()}

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send(start)
            await send(body)

    return answer
