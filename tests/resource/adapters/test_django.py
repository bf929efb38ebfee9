from collections.abc import Iterator
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings
from starlette.testclient import TestClient

from authserver.resource.django import AuthserverMiddleware, guard, require
from authserver.resource.django.requests import DjangoRequest
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.adapters.table import HOST, ORIGIN
from tests.resource.conftest import FakeClock, Network


@pytest.fixture(autouse=True)
def configured(network: Network, clock: FakeClock) -> Iterator[None]:
    setting = {
        "ISSUER": forge.ISSUER,
        "AUDIENCE": forge.API,
        "FETCH": network,
        "CLOCK": clock,
        "MONOTONIC_CLOCK": clock,
    }
    with override_settings(AUTHSERVER=setting):
        guard().close()
        yield


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=True, SERVER_NAME=HOST, SERVER_PORT="443")


def cookie(issuer: LocalIssuer) -> dict[str, str]:
    return {"Cookie": f"__Host-access_token={issuer.token('alice')}"}


def ask(path: str, headers: dict[str, str]) -> list[Any]:
    """The same question to a sync and an async stack."""
    sync = Client(SERVER_NAME=HOST, SERVER_PORT="443").get(f"/sync{path}", secure=True, headers=headers)
    through_asgi = TestClient(ASGIHandler(), base_url=ORIGIN).get(f"/async{path}", headers=headers)
    return [sync.json(), through_asgi.json()]


def test_the_middleware_names_the_holder_and_refuses_nobody(issuer: LocalIssuer) -> None:
    assert ask("/open", issuer.bearer("alice")) == [{"sub": "alice"}] * 2
    assert ask("/open", {}) == [{"sub": None}] * 2
    assert ask("/open", issuer.bearer(lifetime=-3_600)) == [{"sub": None}] * 2


def test_who_is_only_looked_at_is_not_counted_as_refused(client: Client) -> None:
    assert ask("/open", {}) == [{"sub": None}] * 2
    assert sum(guard().health().refusals.values()) == 0
    assert client.get("/sync/any", secure=True).status_code == 401
    assert sum(guard().health().refusals.values()) == 1


def test_without_a_token_the_middleware_asks_the_issuer_nothing(network: Network) -> None:
    assert ask("/open", {}) == [{"sub": None}] * 2
    assert network.asked == []


def test_a_principal_that_is_missing_is_none_itself(network: Network) -> None:
    """A lazy object around None is not None, and `is not None` is how people ask."""
    request = RequestFactory().get("/")
    AuthserverMiddleware(lambda _: HttpResponse())(request)
    assert request.principal is None


def test_the_decorator_does_not_believe_what_the_request_already_says(issuer: LocalIssuer) -> None:
    @require()
    def view(request: Any) -> Any:
        return HttpResponse(request.principal.sub)

    request = RequestFactory().get("/")
    request.principal = "mallory"
    assert view(request).status_code == 401
    request = RequestFactory().get("/", headers=issuer.bearer("alice"))
    request.principal = "mallory"
    assert view(request).content == b"alice"


def test_a_guarded_view_needs_no_csrf_token_as_the_guard_made_the_check(
    client: Client, issuer: LocalIssuer
) -> None:
    for path in ("/sync/any", "/class/any"):
        assert client.post(path, secure=True, headers=issuer.bearer()).status_code == 200
        forged = client.post(path, secure=True, headers=cookie(issuer) | {"Origin": "https://evil.example"})
        assert (forged.status_code, forged.json()["error"]) == (403, "forged_request")


def test_other_views_keep_djangos_csrf_check(client: Client, issuer: LocalIssuer) -> None:
    assert client.post("/sync/open", secure=True, headers=issuer.bearer()).status_code == 403
    assert client.post("/sync/open", secure=True).status_code == 403


def test_the_host_behind_a_proxy_is_the_one_django_believes_in(issuer: LocalIssuer) -> None:
    headers = cookie(issuer) | {"Origin": ORIGIN, "X-Forwarded-Host": HOST}
    inner = Client(SERVER_NAME="inner", SERVER_PORT="443")
    with override_settings(USE_X_FORWARDED_HOST=True):
        assert inner.post("/sync/any", secure=True, headers=headers).status_code == 200
    with override_settings(ALLOWED_HOSTS=["inner", HOST]):
        assert inner.post("/sync/any", secure=True, headers=headers).status_code == 403


def test_a_host_that_django_does_not_know_is_a_bad_request(client: Client, issuer: LocalIssuer) -> None:
    evil = cookie(issuer) | {"Host": "evil.example", "Origin": "https://evil.example"}
    assert client.post("/sync/any", secure=True, headers=evil).status_code == 400


def test_the_views_name_and_arguments_stay_in_django(issuer: LocalIssuer) -> None:
    @require("orders:read")
    def order(request: Any, number: int) -> HttpResponse:
        return HttpResponse(f"{number} {request.principal.sub}")

    assert order.__name__ == "order"
    request = RequestFactory().get("/", headers=issuer.bearer("alice", scope="orders:read"))
    assert order(request, number=7).content == b"7 alice"


def test_an_empty_answer_of_a_view_is_still_its_answer(issuer: LocalIssuer) -> None:
    calls = []

    @require()
    def view(request: Any) -> None:
        calls.append(request.principal.sub)

    assert view(RequestFactory().get("/", headers=issuer.bearer("alice"))) is None
    assert calls == ["alice"]


def test_the_request_view_reads_headers_by_any_name() -> None:
    view = DjangoRequest(RequestFactory().get("/", headers={"Sec-Fetch-Site": "none"}))
    assert view.header_values("sec-fetch-site") == ("none",)
    assert view.header_values("authorization") == ()


def test_a_projects_own_tests_need_no_issuer(client: Client) -> None:
    with guard().testing() as local:
        assert client.get("/sync/any", secure=True, headers=local.bearer("bob")).json() == {"sub": "bob"}
