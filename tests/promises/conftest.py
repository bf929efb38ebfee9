"""The tutorial's `/protected`, as a resource service of its own: it reads the login service's public documents."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from authserver.app import Server
from authserver.protocol.cookies import TOKEN_HOST_ONLY
from authserver.resource.fastapi import Guard, Principal
from authserver.resource.http import Fetched, parse_max_age
from tests.clocks import HandClock
from tests.conftest import ISSUER
from tests.databases import sqlite_url
from tests.visitor import Visitor

KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9"}
ENGLISH = {"Accept-Language": "en-US"}


@dataclass(frozen=True, slots=True)
class Api:
    """A resource service in front of one visitor, who brings whatever token he likes."""

    visitor: Visitor
    guard: Guard

    def welcome(self, token: str | None, language: dict[str, str] = KOREAN) -> httpx2.Response:
        cookie = {"Cookie": f"{TOKEN_HOST_ONLY}={token}"} if token else {}
        return self.visitor.get("/protected", headers={**language, **cookie})

    def order(self, token: str, origin: str) -> httpx2.Response:
        """Do something that changes something, from a page of `origin`."""
        return self.visitor.post(
            "/orders", headers={**KOREAN, "Cookie": f"{TOKEN_HOST_ONLY}={token}", "Origin": origin}
        )

    def hear(self) -> None:
        """Ask for the revocation list now; by itself it would within a second."""
        feed = self.guard._trust.feed
        assert feed is not None
        feed.poll_once()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return sqlite_url(request.getfixturevalue("sqlite_template"), tmp_path)


@pytest.fixture
def api(server: Server, clock: HandClock) -> Iterator[Api]:
    guard = Guard(
        ISSUER,
        audience=ISSUER,
        fetch=reader(server),
        clock=lambda: clock.now().timestamp(),
        monotonic_clock=clock.monotonic,
    )
    guard.close()  # no thread: these tests say when it asks
    with Visitor(protected(guard), ISSUER) as visitor:
        yield Api(visitor, guard)


def protected(guard: Guard) -> FastAPI:
    app = FastAPI()

    @app.get("/protected")
    def welcome(user: Annotated[Principal, Depends(guard)]) -> dict[str, object]:
        return {"message": f"환영합니다, {user.sub}!", "roles": sorted(user.roles)}

    @app.post("/orders")
    def order(user: Annotated[Principal, Depends(guard)]) -> dict[str, str]:
        return {"ordered_by": user.sub}

    return app


def reader(app: ASGIApp) -> Callable[[str, str | None], Fetched]:
    """`Guard(fetch=…)` for a server in this process; it is called in threads, so each call has a loop of its own."""

    async def ask(url: str, etag: str | None) -> Fetched:
        headers = {"If-None-Match": etag} if etag else {}
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as http:
            answer = await http.get(url, headers=headers)
        said = Message()
        said["Cache-Control"] = answer.headers.get("cache-control", "")
        return Fetched(answer.status_code, answer.content, answer.headers.get("etag"), parse_max_age(said))

    return lambda url, etag: asyncio.run(ask(url, etag))
