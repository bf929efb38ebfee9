"""One login service in a process of its own, and a person who is signed in to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path

import httpx2
import pytest

from authserver.protocol.cookies import SESSION, TOKEN_HOST_ONLY
from tests.clients.verifiers import Authlib, Joserfc, PyJwt, Service, Verifier
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.processes import QUICK_ROTATION, LoginService, login_service

MakeVerifier = Callable[[Service], Verifier]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose browser holds a session."""

    origin: str
    session: str

    def token(self) -> str:
        """A new token of the session, as the token cookie carries it."""
        cookie = {"Cookie": f"{SESSION}={self.session}"}
        answer = httpx2.post(f"{self.origin}/session/refresh", json={}, headers=cookie)
        return _cookies(answer)[TOKEN_HOST_ONLY].value


@pytest.fixture(scope="session")
def login(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[LoginService]:
    folder = tmp_path_factory.mktemp("login")
    with login_service(folder, sqlite_template, apps=False, **QUICK_ROTATION) as service:
        yield service


@pytest.fixture(scope="session")
def person(login: LoginService) -> Person:
    form = {"username": "demo", "password": PASSWORD}
    answer = httpx2.post(f"{login.origin}/login", json=form)
    return Person(login.origin, _cookies(answer)[SESSION].value)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def service(login: LoginService) -> Service:
    return Service(login.origin, audience=login.origin)


@pytest.fixture(params=["pyjwt", "joserfc", "authlib"])
def make_verifier(request: pytest.FixtureRequest, clock: HandClock) -> MakeVerifier:
    made: dict[str, MakeVerifier] = {
        "pyjwt": PyJwt,
        "joserfc": Joserfc,
        "authlib": lambda service: Authlib(service, clock.monotonic),
    }
    return made[request.param]


@pytest.fixture
def verifier(make_verifier: MakeVerifier, service: Service) -> Verifier:
    return make_verifier(service)


def _cookies(answer: httpx2.Response) -> SimpleCookie:
    assert answer.status_code == 200, answer.text
    found = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        found.load(line)
    return found
