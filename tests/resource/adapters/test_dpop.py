"""A token that is bound to a key, under every adapter: each knows its request's method and path by itself."""

import json
from typing import Any

import pytest
from fastapi import Depends, FastAPI

from authserver.resource import fastapi as for_fastapi
from authserver.resource import flask as for_flask
from tests.resource import forge, prover
from tests.resource.adapters.services import SERVICES, Service, flask_views, options, send_asgi
from tests.resource.adapters.table import ORIGIN, Headers
from tests.resource.conftest import FakeClock, Network

PREFIXES = {
    "django": "/sync",
    "django, without the middleware": "/sync",
    "django, class-based": "/class",
    "django, async": "/async",
    "django, async and class-based": "/async-class",
    "rest framework": "/rest",
}
EVERY = pytest.mark.parametrize(
    ("service", "path"),
    [(service, f"{PREFIXES.get(name, '')}/any") for name, service in SERVICES.items()],
    ids=SERVICES.keys(),
)


def signed(token: str, uri: str, method: str = "GET", scheme: str = "DPoP", **parts: Any) -> Headers:
    shown = prover.proof(method, uri, forge.NOW, token=token, **parts)
    return [("Authorization", f"{scheme} {token}"), ("DPoP", shown)]


@pytest.fixture
def token(network: Network) -> str:
    return network.issuer.token("alice", cnf={"jkt": prover.jkt()})


@EVERY
def test_bound_token_with_its_proof_is_admitted_once(
    service: Service, path: str, network: Network, clock: FakeClock, token: str
) -> None:
    with service(network, clock) as send:
        headers = signed(token, ORIGIN + path)
        admitted = send("GET", "/any?page=2", headers)
        assert (admitted.status, json.loads(admitted.content)["sub"]) == (200, "alice")
        assert send("GET", "/any", headers).status == 401


@EVERY
def test_proof_for_anything_else_is_refused(
    service: Service, path: str, network: Network, clock: FakeClock, token: str
) -> None:
    right = ORIGIN + path
    with service(network, clock) as send:
        for headers in (
            signed(token, right, "PUT"),
            signed(token, f"{right}/other"),
            signed(token, f"https://evil.example{path}"),
            signed(token, right, key=prover.OTHER_KEY),
            signed(token, right, scheme="Bearer"),
            signed(token, right)[:1],
            signed(token, right) + signed(token, right)[1:],
        ):
            refused = send("GET", "/any", headers)
            assert refused.status == 401
            assert refused.headers["www-authenticate"].startswith(
                f'DPoP realm="{forge.API}", error="invalid_'
            )
            assert 'algs="ES256 ' in refused.headers["www-authenticate"]


def test_two_dependencies_of_one_route_are_shown_the_same_proof(
    network: Network, clock: FakeClock, token: str
) -> None:
    guard = for_fastapi.Guard(forge.ISSUER, **options(network, clock, {}))
    guard.close()
    app = FastAPI(dependencies=[Depends(guard)])

    @app.get("/orders/{name}", dependencies=[Depends(guard.require())])
    def orders(name: str) -> dict[str, str]:
        return {"name": name}

    headers = signed(token, f"{ORIGIN}/orders/%EC%A3%BC%EB%AC%B8%201")
    assert send_asgi(app, "", "GET", "/orders/주문 1", headers).status == 200
    assert send_asgi(app, "", "GET", "/orders/주문 1", headers).status == 401


def test_mounted_application_is_asked_for_under_its_whole_path(
    network: Network, clock: FakeClock, token: str
) -> None:
    guard = for_fastapi.Guard(forge.ISSUER, **options(network, clock, {}))
    guard.close()
    inner, app = FastAPI(), FastAPI()
    app.mount("/v1", inner)

    @inner.get("/orders", dependencies=[Depends(guard)])
    def orders() -> dict[str, str]:
        return {}

    headers = signed(token, f"{ORIGIN}/v1/orders")
    assert send_asgi(app, "", "GET", "/v1/orders", headers).status == 200
    headers = signed(token, f"{ORIGIN}/orders")
    assert send_asgi(app, "", "GET", "/v1/orders", headers).status == 401


def test_flask_below_a_prefix_is_asked_for_under_its_whole_path(
    network: Network, clock: FakeClock, token: str
) -> None:
    guard = for_flask.Guard(forge.ISSUER, **options(network, clock, {}))
    guard.close()
    client = flask_views(guard, is_async=False).test_client(use_cookies=False)
    headers = signed(token, f"{ORIGIN}/v1/any")
    assert client.get("/any", headers=headers, base_url=f"{ORIGIN}/v1").status_code == 200
    headers = signed(token, f"{ORIGIN}/any")
    assert client.get("/any", headers=headers, base_url=f"{ORIGIN}/v1").status_code == 401
