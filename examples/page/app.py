"""Serves the page: files, and where the login service and the API are. The page does the rest in the browser.

It needs no guard: there is nothing here that is not for everybody. The content security policy lets the page's own
script run, and lets it talk to these two addresses and to nobody else.
"""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

LOGIN_SERVICE = os.environ.get("LOGIN_SERVICE", "http://127.0.0.1:8000")
ORDERS_API = os.environ.get("ORDERS_API", "http://127.0.0.1:8001")
PAGE = os.environ.get("PAGE", "http://127.0.0.1:8003")
HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    f"connect-src {LOGIN_SERVICE} {ORDERS_API}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def home(_request: Request) -> Response:
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return FileResponse(HERE / "site" / "index.html", headers=headers)


async def addresses(_request: Request) -> Response:
    known = {"LOGIN_SERVICE": LOGIN_SERVICE, "ORDERS_API": ORDERS_API}
    lines = [f"export const {name} = {json.dumps(address)};\n" for name, address in known.items()]
    return Response("".join(lines), media_type="text/javascript", headers={"Cache-Control": "no-cache"})


app = Starlette(
    routes=[
        Route("/", home),
        Route("/addresses.js", addresses),
        Mount("/look", StaticFiles(directory=HERE.parent / "look")),
        Mount("/", StaticFiles(directory=HERE / "site")),
    ]
)


if __name__ == "__main__":
    port = urlsplit(PAGE).port or 8003
    print(f"Page: {PAGE} (asks {ORDERS_API}, people sign in at {LOGIN_SERVICE})", flush=True)  # noqa: T201 - a program's word
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", server_header=False)
