"""Somebody who is signed in, over HTTP like anybody: a session, and a new token cookie whenever one is asked for."""

from typing import Final

from authserver.drill.loopback import post
from authserver.drill.processes import DrillBroken
from authserver.drill.tokens import Issued, issued
from authserver.protocol.cookies import SESSION, TOKEN_HOST_ONLY

OK: Final = 200


class Person:
    """Signs in once; the session outlives every key."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self._port = port
        answer = post(port, "/login", {"username": username, "password": password}, {})
        if answer.status != OK:
            raise DrillBroken(f"the sign-in was answered {answer.status}")
        self._session = answer.cookies[SESSION]

    def token(self) -> Issued | None:
        """Renew the token cookie and answer what is in it; None when the server did not renew it."""
        answer = post(self._port, "/session/refresh", {}, {SESSION: self._session})
        return issued(answer.cookies[TOKEN_HOST_ONLY]) if answer.status == OK else None
