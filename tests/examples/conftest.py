"""Clients for the examples, which are programs of strangers: imported from `examples/`, with an issuer in memory."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from flask.testing import FlaskClient

from authserver.resource.testing import LocalIssuer
from examples.flask_site import app as site
from examples.orders_api import app as orders

KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9"}


@pytest.fixture
def orders_issuer() -> Iterator[LocalIssuer]:
    with orders.guard.testing() as issuer:
        yield issuer


@pytest.fixture
def api(orders_issuer: LocalIssuer) -> Iterator[TestClient]:
    with TestClient(orders.app, orders.ORDERS_API) as client:
        yield client


@pytest.fixture
def site_issuer() -> Iterator[LocalIssuer]:
    with site.guard.testing() as issuer:
        yield issuer


@pytest.fixture
def flask_site(site_issuer: LocalIssuer) -> FlaskClient:
    return site.app.test_client()
