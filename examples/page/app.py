"""Serves the page: files, and where the login service and the API are. The page does the rest in the browser.

It needs no guard: there is nothing here that is not for everybody. The content security policy lets the page's own
script run, and lets it talk to these two addresses and to nobody else. Every answer has it, for the page has more
addresses than one: `/`, `/index.html`, `//index.html`.
"""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOGIN_SERVICE = os.environ.get("LOGIN_SERVICE", "http://127.0.0.1:8000")
ORDERS_API = os.environ.get("ORDERS_API", "http://127.0.0.1:8001")
PAGE = os.environ.get("PAGE", "http://127.0.0.1:8003")
HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    f"connect-src {LOGIN_SERVICE} {ORDERS_API}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}


class WithHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self.app(scope, receive, with_headers)


async def home(_request: Request) -> Response:
    return FileResponse(HERE / "site" / "index.html")


async def addresses(_request: Request) -> Response:
    known = {"LOGIN_SERVICE": LOGIN_SERVICE, "ORDERS_API": ORDERS_API}
    lines = [f"export const {name} = {json.dumps(address)};\n" for name, address in known.items()]
    return Response("".join(lines), media_type="text/javascript")


app = Starlette(
    routes=[
        Route("/", home),
        Route("/addresses.js", addresses),
        Mount("/look", StaticFiles(directory=HERE.parent / "look")),
        Mount("/", StaticFiles(directory=HERE / "site")),
    ],
    middleware=[Middleware(WithHeaders)],
)


if __name__ == "__main__":
    port = urlsplit(PAGE).port or 8003
    print(f"Page: {PAGE} (asks {ORDERS_API}, people sign in at {LOGIN_SERVICE})", flush=True)  # noqa: T201 - a program's word
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)
