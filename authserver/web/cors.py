"""CORS for the JSON endpoints: the apps that the settings name may call them with cookies, nobody else (SECURITY X02).

Never a wildcard, never a reflected origin, and not on anything but these paths.
"""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS: Final = frozenset({"/login", "/logout", "/session/refresh", "/account"})


class CrossOrigin:
    """Starlette's CORS for the few paths that allow it."""

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        self._app = app
        self._with_cors = CORSMiddleware(
            app,
            allow_origins=allowed_origins,
            allow_credentials=True,
            allow_methods=("GET", "POST"),
            allow_headers=("Content-Type", "Accept-Language"),
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        open_here = scope["type"] == "http" and scope["path"] in PATHS
        await (self._with_cors if open_here else self._app)(scope, receive, send)
