"""Servers that sign with ES256, where the algorithm is not what is tested: to load an RSA key takes 50 ms of each start.

The same code signs either way; RS256, the product's default, is what tests/published, tests/journeys and tests/keyring use.
"""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.settings import Settings


@pytest.fixture
def make_settings(make_settings: Callable[..., Settings]) -> Callable[..., Settings]:
    def make(**chosen: Any) -> Settings:
        return make_settings(**{"signing_algorithms": ("ES256",), **chosen})

    return make
