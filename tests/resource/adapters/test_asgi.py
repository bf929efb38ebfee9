import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket

from authserver.resource.asgi import AsgiRequest, Guard, GuardMiddleware, serve_metadata
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.adapters.table import HOST, ORIGIN
from tests.resource.conftest import FakeClock, Network


def who(request: Request) -> JSONResponse:
    principal = request.scope["principal"]
    return JSONResponse({"sub": None if principal is None else principal.sub})


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(websocket.scope["principal"].sub)
    await websocket.close()


def application(guard: Guard, **choice: Any) -> TestClient:
    writing = [Middleware(GuardMiddleware, guard, "orders:write")]
    routes = [
        Route("/me", who, methods=["GET", "POST"]),
        Route("/write", who, middleware=writing, methods=["POST"]),
        WebSocketRoute("/socket", socket),
    ]
    middleware = [Middleware(GuardMiddleware, guard, **choice)]
    return TestClient(Starlette(routes=routes, middleware=middleware), base_url=ORIGIN)


def run(app: GuardMiddleware, scope: dict[str, Any]) -> list[Any]:
    """What an application sends, without a server between."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


async def never(scope: Any, receive: Any, send: Any) -> None:
    pytest.fail("the application was asked")


def test_it_is_a_middleware_of_starlette(guard: Guard, issuer: LocalIssuer) -> None:
    client = application(guard)
    assert client.get("/me", headers=issuer.bearer("alice")).json() == {"sub": "alice"}
    assert client.get("/me").status_code == 401
    assert client.get("/not-there").status_code == 401


def test_a_route_may_ask_for_more(guard: Guard, issuer: LocalIssuer) -> None:
    client = application(guard)
    assert client.post("/write", headers=issuer.bearer("alice")).status_code == 403
    assert client.post("/write", headers=issuer.bearer("alice", scope="orders:write")).status_code == 200


def test_the_anonymous_pass_by_choice_and_without_a_name(
    guard: Guard, issuer: LocalIssuer, network: Network
) -> None:
    client = application(guard, anonymous=True)
    cookie = {"Cookie": f"__Host-access_token={issuer.token('alice')}"}
    assert client.get("/me").json() == {"sub": None}
    assert client.get("/me", headers=issuer.bearer("alice")).json() == {"sub": "alice"}
    assert client.get("/me", headers=issuer.bearer(lifetime=-3_600)).json() == {"sub": None}
    assert client.post("/me", headers=cookie | {"Origin": ORIGIN}).json() == {"sub": "alice"}
    assert client.post("/me", headers=cookie | {"Origin": "https://evil.example"}).json() == {"sub": None}
    assert sum(guard.health().refusals.values()) == 0
    assert client.post("/write").status_code == 401
    assert sum(guard.health().refusals.values()) == 1


def test_the_anonymous_cannot_meet_a_requirement(guard: Guard) -> None:
    choices: list[dict[str, Any]] = [{"role": "admin"}, {"role": ()}]
    for choice in choices:
        with pytest.raises(ValueError, match="none"):
            GuardMiddleware(never, guard, anonymous=True, **choice)
    with pytest.raises(ValueError, match="none"):
        GuardMiddleware(never, guard, "a", anonymous=True)


def test_a_name_that_came_from_outside_is_overwritten(guard: Guard) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["principal"])

    scope = {"type": "http", "method": "GET", "headers": [], "principal": "somebody"}
    run(GuardMiddleware(app, guard, anonymous=True), scope)
    assert seen == [None]


def test_the_server_starts_and_stops_unasked(guard: Guard) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    run(GuardMiddleware(app, guard), {"type": "lifespan"})
    assert seen == ["lifespan"]


def test_a_websocket_tells_who_it_is(guard: Guard, issuer: LocalIssuer) -> None:
    with application(guard).websocket_connect("/socket", headers=issuer.bearer("alice")) as connection:
        assert connection.receive_text() == "alice"


@pytest.mark.parametrize("origin", [{}, {"Origin": "https://evil.example"}])
def test_a_websocket_that_another_site_opens_is_refused(
    guard: Guard, issuer: LocalIssuer, origin: dict[str, str]
) -> None:
    headers = {"Cookie": f"__Host-access_token={issuer.token()}"} | origin
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        application(guard).websocket_connect("/socket", headers=headers),
    ):
        pass
    assert (denied.value.status_code, denied.value.json()["error"]) == (403, "forged_request")
    assert denied.value.headers["Cache-Control"] == "no-store"


def test_a_websocket_of_an_own_page_is_admitted(guard: Guard, issuer: LocalIssuer) -> None:
    headers = {"Cookie": f"__Host-access_token={issuer.token('alice')}", "Origin": ORIGIN}
    with application(guard).websocket_connect(f"wss://{HOST}/socket", headers=headers) as connection:
        assert connection.receive_text() == "alice"


def test_a_server_that_cannot_answer_a_handshake_closes_it(guard: Guard) -> None:
    """Without the extension websocket.http.response; a close before accept is a 403 to the browser."""
    sent = run(GuardMiddleware(never, guard), {"type": "websocket", "headers": [], "extensions": None})
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "missing"}]


def test_a_refusal_is_two_messages_with_lower_case_headers(guard: Guard) -> None:
    start, body = run(GuardMiddleware(never, guard), {"type": "http", "method": "GET", "headers": []})
    headers = dict(start["headers"])
    assert all(name == name.lower() for name in headers)
    assert int(headers[b"content-length"]) == len(body["body"])


def test_a_socket_that_outlives_its_token_can_ask_again(
    guard: Guard, issuer: LocalIssuer, clock: FakeClock
) -> None:
    headers = [(b"authorization", f"Bearer {issuer.token()}".encode())]
    request = AsgiRequest({"type": "websocket", "headers": headers})
    assert not isinstance(asyncio.run(guard.authenticate_async(request)), Refusal)
    clock.advance(3_661)
    outcome = asyncio.run(guard.authenticate_async(request))
    assert isinstance(outcome, Refusal)
    assert outcome.reason is Reason.EXPIRED


def test_what_waits_for_the_issuer_does_not_hold_the_loop(
    guard: Guard, issuer: LocalIssuer, network: Network
) -> None:
    loop_thread: list[bool] = []

    def fetch_elsewhere(url: str, etag: str | None) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            loop_thread.append(False)
        else:
            loop_thread.append(True)
        return network(url, etag)

    slow = Guard(forge.ISSUER, audience=forge.API, fetch=fetch_elsewhere, clock=guard._trust.clock)
    slow.close()
    assert application(slow).get("/me", headers=issuer.bearer()).status_code == 200
    assert loop_thread
    assert not any(loop_thread)


def test_metadata_are_for_get_and_head_at_their_own_place_only(issuer: LocalIssuer) -> None:
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=issuer.fetch, metadata={})
    app = serve_metadata(GuardMiddleware(never, guard), guard)
    client = TestClient(app, base_url=ORIGIN)
    place = "/.well-known/oauth-protected-resource"
    assert client.get(place).json()["resource"] == forge.API
    assert (client.head(place).status_code, client.head(place).content) == (200, b"")
    assert client.post(place).status_code == 401
    assert client.get(place + "/else").status_code == 401


def test_a_guard_without_metadata_has_none_to_serve(guard: Guard) -> None:
    with pytest.raises(ValueError, match="metadata="):
        serve_metadata(never, guard)
