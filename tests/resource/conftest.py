from dataclasses import dataclass, field

import pytest

from authserver.resource.http import Fetched
from authserver.resource.testing import LocalIssuer
from tests.resource import forge


@dataclass
class FakeClock:
    """Wall and monotonic time alike; it moves when a test says so."""

    now: float = float(forge.NOW)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Network:
    """Answers from an issuer, counted, and broken on demand: `broken[path]` is an answer or an exception instead."""

    issuer: LocalIssuer
    asked: list[str] = field(default_factory=list)
    etags: list[str | None] = field(default_factory=list)
    broken: dict[str, Fetched | Exception] = field(default_factory=dict)

    def __call__(self, url: str, etag: str | None) -> Fetched:
        self.asked.append(url)
        self.etags.append(etag)
        for path, answer in self.broken.items():
            if path in url:
                if isinstance(answer, Exception):
                    raise answer
                return answer
        return self.issuer.fetch(url, etag)

    def count(self, path: str) -> int:
        return sum(path in url for url in self.asked)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> LocalIssuer:
    return LocalIssuer(forge.ISSUER, audience=forge.API, key=forge.KEY, clock=clock)


@pytest.fixture
def network(issuer: LocalIssuer) -> Network:
    return Network(issuer)
