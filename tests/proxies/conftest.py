"""One login service for all tests here; a proxy and an app behind it for each of the two kinds of proxy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from authserver.protocol import cookies
from tests.conftest import PASSWORD
from tests.processes import HOST, LoginService, login_service
from tests.proxies.app_behind import AppBehind, Seen, app_behind
from tests.proxies.asking import Answer, Headers, ask
from tests.proxies.running import PROXIES, installed

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
PLACES = {"nginx": 2, "caddy": 3}  # ports of apps that `authserver dev` sends people back to


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody's cookies at the login service, and so at every app on this host."""

    session: str
    token: str

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{cookies.TOKEN_HOST_ONLY}={self.token}"}

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True, slots=True)
class Place:
    """A proxy with an app behind it and the login service beside it."""

    port: int
    app: AppBehind
    login: LoginService

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    def ask(
        self, path: str = "/", headers: Headers = (), *, method: str = "GET", body: bytes | None = None
    ) -> Answer:
        return ask(self.port, path, headers, method=method, body=body)

    def seen(self) -> Seen:
        """What the app was asked last, and only then."""
        assert self.app.seen, "nothing reached the app"
        return self.app.seen.pop()

    def sign_in(self) -> Person:
        body = b'{"username": "demo", "password": "%s"}' % PASSWORD.encode()
        answer = ask(self.login.port, "/login", JSON, method="POST", body=body)
        assert answer.status == 200, answer.body
        return person(answer)

    def sign_out(self, who: Person) -> None:
        cookie = {"Cookie": f"{cookies.SESSION}={who.session}"}
        assert ask(self.login.port, "/logout", JSON | cookie, method="POST", body=b"{}").status == 200


def person(answer: Answer) -> Person:
    found = dict(line.partition(";")[0].split("=", 1) for line in answer.set_cookie)
    return Person(found.get(cookies.SESSION, ""), found[cookies.TOKEN_HOST_ONLY])


@pytest.fixture(scope="session")
def login(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[LoginService]:
    with login_service(tmp_path_factory.mktemp("login"), sqlite_template, apps=False) as service:
        yield service


@pytest.fixture(scope="session")
def places(login: LoginService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """Each started before there is traffic: a connection from somewhere could be given the port that is its own."""
    with ExitStack() as stack:

        def start(kind: str) -> Place:
            app = stack.enter_context(app_behind())
            port = login.port + PLACES[kind]
            stack.enter_context(PROXIES[kind](tmp_path_factory.mktemp(kind), (port, login.port, app.port)))
            return Place(port, app, login)

        started = {kind: start(kind) for kind in PROXIES if installed(kind)}
        yield lambda kind: started[kind] if kind in started else pytest.skip(f"{kind} is not installed")


@pytest.fixture(params=list(PROXIES))
def place(request: pytest.FixtureRequest, places: Callable[[str], Place]) -> Place:
    found = places(request.param)
    found.app.seen.clear()
    return found


@pytest.fixture(scope="session")
def demo(login: LoginService) -> Callable[[Place], Person]:
    """Whoever signs in once for the tests that only read."""
    signed_in: list[Person] = []

    def sign_in(place: Place) -> Person:
        if not signed_in:
            signed_in.append(place.sign_in())
        return signed_in[0]

    return sign_in


@pytest.fixture
def who(place: Place, demo: Callable[[Place], Person]) -> Person:
    return demo(place)
