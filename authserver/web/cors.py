"""CORS: whose pages may call which endpoint from a browser (SECURITY X02).

* The JSON endpoints that a cookie authenticates: the apps that the settings name, with credentials.
* The protocol endpoints that no cookie authenticates: every page. It sends a secret or a token that it has, and without
  that it is nobody; so `*`, which browsers never combine with cookies, gives away nothing.
* Everything else: nobody. An origin is never reflected.
"""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from authserver.protocol import paths

PATHS: Final = frozenset({"/login", "/logout", "/session/refresh", "/account"})
WITHOUT_COOKIES: Final = frozenset({paths.TOKEN, paths.REVOKE, paths.USERINFO})


class CrossOrigin:
    """Starlette's CORS for the few paths that allow it."""

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        self._app = app
        self._with_cookies = CORSMiddleware(
            app,
            allow_origins=allowed_origins,
            allow_credentials=True,
            allow_methods=("GET", "POST"),
            allow_headers=("Content-Type", "Accept-Language"),
            max_age=600,
        )
        self._without_cookies = CORSMiddleware(
            app,
            allow_origins=("*",),
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "DPoP"),
            expose_headers=("WWW-Authenticate", "DPoP-Nonce", "Retry-After"),
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._for(scope)(scope, receive, send)

    def _for(self, scope: Scope) -> ASGIApp:
        path = scope["path"] if scope["type"] == "http" else None
        if path in PATHS:
            return self._with_cookies
        return self._without_cookies if path in WITHOUT_COOKIES else self._app
