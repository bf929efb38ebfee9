"""Django is configured here, before any test module imports REST framework."""

from collections.abc import Iterator

import pytest

from authserver.resource import Guard
from tests.resource import forge
from tests.resource.adapters.django_project import configure
from tests.resource.conftest import FakeClock, Network

configure()


@pytest.fixture
def guard(network: Network, clock: FakeClock) -> Iterator[Guard]:
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock)
    guard.close()
    yield guard
    guard.close()
