"""The two things that the drill does with sockets itself: find a free port, and post a form. To 127.0.0.1 only."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from typing import Final

HOST: Final = "127.0.0.1"
SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Posted:
    """The answer to a POST: its status and the cookies that it sets. No answer at all has the status 0."""

    status: int
    cookies: Mapping[str, str]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        port: int = trial.getsockname()[1]
        return port


def post(port: int, path: str, fields: Mapping[str, str], cookies: Mapping[str, str]) -> Posted:
    """Post JSON, as an app's page would."""
    connection = HTTPConnection(HOST, port, timeout=SECONDS)
    headers = {"Content-Type": "application/json"}
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    try:
        connection.request("POST", path, json.dumps(fields), headers)
        answer = connection.getresponse()
        answer.read()
        found = SimpleCookie()
        for line in answer.headers.get_all("Set-Cookie", []):
            found.load(line)
        return Posted(answer.status, {name: morsel.value for name, morsel in found.items()})
    except (OSError, HTTPException):
        return Posted(0, {})
    finally:
        connection.close()
