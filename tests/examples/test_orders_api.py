"""The orders API: JSON for the signed in, and cookies only from pages that it knows."""

from fastapi.testclient import TestClient

from authserver.protocol.cookies import TOKEN_HOST_ONLY
from authserver.resource.testing import LocalIssuer
from examples.orders_api.app import KEPT, ORDERS_API, PAGE

ANOTHER_PORT = "http://127.0.0.1:8002"  # to a browser the same site, so SameSite lets the cookie through


def cookie(issuer: LocalIssuer, sub: str = "alice") -> dict[str, str]:
    return {"Cookie": f"{TOKEN_HOST_ONLY}={issuer.token(sub)}"}


def test_whoever_is_signed_in_is_told_who_they_are(api: TestClient, orders_issuer: LocalIssuer) -> None:
    answer = api.get("/api/me", headers=orders_issuer.bearer("alice", roles=["user", "demo"]))
    assert answer.json() == {"sub": "alice", "roles": ["demo", "user"]}


def test_nobody_else_is_told_anything(api: TestClient) -> None:
    for method, path in (("GET", "/api/me"), ("GET", "/api/orders"), ("POST", "/api/orders")):
        answer = api.request(method, path, json={"item": "tea"} if method == "POST" else None)
        assert (answer.status_code, answer.json()["error"]) == (401, "missing")
        assert answer.headers["www-authenticate"] == 'Bearer realm="orders"'


def test_orders_are_kept_for_each_account(api: TestClient, orders_issuer: LocalIssuer) -> None:
    alice, bob = orders_issuer.bearer("alice"), orders_issuer.bearer("bob")
    placed = api.post("/api/orders", json={"item": "  tea "}, headers=alice)
    assert (placed.status_code, placed.json()) == (201, {"item": "tea"})
    assert api.get("/api/orders", headers=alice).json() == [{"item": "tea"}]
    assert api.get("/api/orders", headers=bob).json() == []


def test_only_the_last_orders_are_kept(api: TestClient, orders_issuer: LocalIssuer) -> None:
    alice = orders_issuer.bearer("alice")
    for number in range(KEPT + 1):
        api.post("/api/orders", json={"item": f"tea {number}"}, headers=alice)
    kept = api.get("/api/orders", headers=alice).json()
    assert (len(kept), kept[0]) == (KEPT, {"item": "tea 1"})


def test_an_order_of_nothing_is_refused(api: TestClient, orders_issuer: LocalIssuer) -> None:
    for body in ({}, {"item": " "}, {"item": "x" * 81}, {"item": 7}):
        assert api.post("/api/orders", json=body, headers=orders_issuer.bearer()).status_code == 422


def test_the_page_and_the_api_itself_may_order_with_the_cookie(
    api: TestClient, orders_issuer: LocalIssuer
) -> None:
    for origin in (PAGE, ORDERS_API):
        headers = cookie(orders_issuer) | {"Origin": origin}
        assert api.post("/api/orders", json={"item": "tea"}, headers=headers).status_code == 201


def test_a_page_of_another_origin_cannot_order_with_the_cookie(
    api: TestClient, orders_issuer: LocalIssuer
) -> None:
    for evidence in ({"Origin": ANOTHER_PORT}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}, {}):
        answer = api.post("/api/orders", json={"item": "tea"}, headers=cookie(orders_issuer) | evidence)
        assert (answer.status_code, answer.json()["error"]) == (403, "forged_request")
    assert api.get("/api/orders", headers=orders_issuer.bearer()).json() == []


def test_only_the_page_may_read_answers_in_a_browser(api: TestClient, orders_issuer: LocalIssuer) -> None:
    for origin, allowed in ((PAGE, PAGE), (ANOTHER_PORT, None), ("null", None)):
        answer = api.get("/api/me", headers=cookie(orders_issuer) | {"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed
    refused = api.get("/api/me", headers={"Origin": PAGE})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == PAGE
    assert refused.headers["access-control-allow-credentials"] == "true"


def test_what_needs_a_token_is_documented(api: TestClient) -> None:
    assert api.get("/docs").status_code == 200
    paths = api.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/api/me", "/api/orders"}
    assert all(operation["security"] for path in paths.values() for operation in path.values())
