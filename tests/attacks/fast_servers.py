"""Servers that cost a test little.

They sign with ES256, where the algorithm is not what is tested: to load two RSA keys takes 100 ms of each start. The
same code signs either way; RS256, the product's default, is what tests/published, tests/journeys and tests/keyring use.

They log as in production. structlog unconfigured draws a picture of every traceback, which takes ten seconds for one
of SQLAlchemy's.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from authserver import logs
from authserver.settings import Settings


@pytest.fixture
def make_settings(make_settings: Callable[..., Settings]) -> Callable[..., Settings]:
    def make(**chosen: Any) -> Settings:
        return make_settings(**{"signing_algorithms": ("ES256",), **chosen})

    return make


@pytest.fixture(autouse=True)
def logs_of_production() -> Iterator[None]:
    """`configure` takes the place of every handler, pytest's too; pytest itself puts new ones there for each phase."""
    root = logging.getLogger()
    level = root.level
    logs.configure("json", "INFO")
    yield
    root.setLevel(level)
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)
