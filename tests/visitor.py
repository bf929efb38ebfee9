"""A visitor with a cookie jar: talks to the server over ASGI, as a browser or as a program would."""

import asyncio
import re
from types import TracebackType
from typing import Any, Self

import httpx2
from starlette.types import ASGIApp

FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


class Visitor:
    """Keeps cookies; sends `Origin` with every form, as browsers do."""

    def __init__(self, app: ASGIApp, origin: str, *, address: str = "203.0.113.7") -> None:
        self.origin = origin
        self._loop = asyncio.Runner()
        self.http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False, client=(address, 40_000)),
            base_url=origin,
        )

    def get(self, path: str, **more: Any) -> httpx2.Response:
        return self._loop.run(self.http.get(path, **more))

    def post(self, path: str, **more: Any) -> httpx2.Response:
        return self._loop.run(self.http.post(path, **more))

    def request(self, method: str, path: str, **more: Any) -> httpx2.Response:
        return self._loop.run(self.http.request(method, path, **more))

    def together(self, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx2.Response]:
        """Send requests at the same time."""

        async def send() -> list[httpx2.Response]:
            return await asyncio.gather(
                *(self.http.request(method, path, **more) for method, path, more in requests)
            )

        return self._loop.run(send())

    def sign_in(self, username: str, password: str, **more: Any) -> httpx2.Response:
        return self.post("/login", json={"username": username, "password": password}, **more)

    def form(self, page: str, action: str, fields: dict[str, str], **more: Any) -> httpx2.Response:
        """Open a page, fill its form and send it."""
        found = FORM_TOKEN.search(self.get(page, headers={"Accept": "text/html"}).text)
        data = {"form_token": found[1] if found else "", **fields}
        headers = {"Origin": self.origin, "Accept": "text/html", **more.pop("headers", {})}
        return self.post(action, data=data, headers=headers, **more)

    def cookie(self, name: str) -> str | None:
        return self.http.cookies.get(name)

    def close(self) -> None:
        self._loop.run(self.http.aclose())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
