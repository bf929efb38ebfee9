"""Requests as they are written: headers in any spelling and number, paths as they are, no redirect followed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

from tests.processes import HOST

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names in lower case, those apart that may come several times."""

    status: int
    headers: dict[str, str]
    set_cookie: list[str]
    challenges: list[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    port: int, path: str = "/", headers: Headers = (), *, method: str = "GET", body: bytes | None = None
) -> Answer:
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items() if isinstance(headers, Mapping) else headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        found = [(name.lower(), value) for name, value in response.getheaders()]
        cookies, challenges = (
            [value for name, value in found if name == wanted]
            for wanted in ("set-cookie", "www-authenticate")
        )
        content = response.fp.read(7) if response.status == 101 else response.read()
        return Answer(response.status, dict(found), cookies, challenges, content)
    finally:
        connection.close()
