from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Security, WebSocket
from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.testclient import TestClient, WebSocketDenialResponse

from authserver.resource.fastapi import Freshness, Guard, Principal, RequestRefused
from authserver.resource.http import FetchFailed
from authserver.resource.refusal import Refusal
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network


@pytest.fixture
def guard(network: Network, clock: FakeClock) -> Iterator[Guard]:
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock)
    guard.close()
    yield guard
    guard.close()


@pytest.fixture
def app(guard: Guard) -> FastAPI:
    app = FastAPI()

    @app.get("/me")
    def me(user: Annotated[Principal, Depends(guard)]) -> dict[str, str]:
        return {"sub": user.sub}

    @app.get("/async/me")
    async def async_me(user: Annotated[Principal, Depends(guard)]) -> dict[str, str]:
        return {"sub": user.sub}

    @app.delete("/orders/{number}", dependencies=[Depends(guard.require("orders:write"))])
    def delete_order(number: int) -> dict[str, int]:
        return {"deleted": number}

    @app.post("/admin")
    def admin(user: Annotated[Principal, Depends(guard.require(role="admin"))]) -> dict[str, str]:
        return {"sub": user.sub}

    @app.get("/native")
    def native(user: Annotated[Principal, Security(guard, scopes=["a"])]) -> dict[str, str]:
        return {"sub": user.sub}

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, user: Annotated[Principal, Depends(guard)]) -> None:
        await websocket.accept()
        await websocket.send_text(user.sub)
        await websocket.close()

    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url="https://api.example.com") as client:
        yield client


@pytest.mark.parametrize("path", ["/me", "/async/me"])
def test_three_lines_protect_a_route(client: TestClient, issuer: LocalIssuer, path: str) -> None:
    assert client.get(path, headers=issuer.bearer("alice")).json() == {"sub": "alice"}


def test_without_a_token_the_answer_is_a_challenge(client: TestClient) -> None:
    answer = client.get("/me")
    assert answer.status_code == 401
    assert answer.json() == {"error": "missing", "message": "No token was sent"}
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="https://api.example.com"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_messages_are_korean_for_those_who_prefer_it(
    client: TestClient, issuer: LocalIssuer, clock: FakeClock
) -> None:
    korean = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}
    assert client.get("/me", headers=korean).json()["message"] == "토큰이 없습니다"
    old = issuer.bearer(lifetime=-3_600)
    answer = client.get("/me", headers=old | korean)
    assert answer.json() == {"error": "invalid_token", "message": "토큰이 만료되었습니다"}
    assert (
        'error="invalid_token", error_description="The token has expired"'
        in answer.headers["WWW-Authenticate"]
    )
    assert (
        client.get("/me", headers={"Authorization": "Bearer x"} | korean).json()["message"]
        == "유효하지 않은 토큰입니다"
    )


def test_a_missing_scope_is_named(client: TestClient, issuer: LocalIssuer) -> None:
    assert client.delete("/orders/1", headers=issuer.bearer(scope="orders:write")).json() == {"deleted": 1}
    answer = client.delete("/orders/1", headers=issuer.bearer(scope="orders:read"))
    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"
    assert 'scope="orders:write"' in answer.headers["WWW-Authenticate"]


def test_a_role_can_be_required(client: TestClient, issuer: LocalIssuer) -> None:
    assert client.post("/admin", headers=issuer.bearer(roles=["admin"])).status_code == 200
    assert client.post("/admin", headers=issuer.bearer(roles=["member"])).status_code == 403
    assert client.post("/admin").status_code == 401


def test_fastapis_own_scopes_are_enforced(client: TestClient, issuer: LocalIssuer) -> None:
    assert client.get("/native", headers=issuer.bearer(scope="a")).status_code == 200
    assert client.get("/native", headers=issuer.bearer(scope="b")).status_code == 403


def test_the_token_cookie_works_for_own_pages_only(client: TestClient, issuer: LocalIssuer) -> None:
    cookie = {"Cookie": f"__Host-access_token={issuer.token(roles=['admin'])}"}
    assert client.get("/me", headers=cookie).status_code == 200
    assert client.post("/admin", headers=cookie | {"Origin": "https://api.example.com"}).status_code == 200
    forged = client.post("/admin", headers=cookie | {"Origin": "https://evil.example"})
    assert forged.status_code == 403
    assert forged.json()["error"] == "forged_request"


def test_an_issuer_that_is_down_at_the_start_is_a_503(
    client: TestClient, issuer: LocalIssuer, network: Network
) -> None:
    network.broken[""] = FetchFailed("down")
    answer = client.get("/me", headers=issuer.bearer())
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "WWW-Authenticate" not in answer.headers


def test_the_scheme_and_the_scopes_are_in_the_openapi_document(client: TestClient) -> None:
    document: dict[str, Any] = client.get("/openapi.json").json()
    scheme = document["components"]["securitySchemes"]["access_token"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert document["paths"]["/me"]["get"]["security"] == [{"access_token": []}]
    assert document["paths"]["/orders/{number}"]["delete"]["security"] == [{"access_token": ["orders:write"]}]
    assert "parameters" not in document["paths"]["/me"]["get"]


def test_a_websocket_is_guarded_against_other_sites_too(client: TestClient, issuer: LocalIssuer) -> None:
    with client.websocket_connect("/socket", headers=issuer.bearer("alice")) as socket:
        assert socket.receive_text() == "alice"
    cookie = {"Cookie": f"__Host-access_token={issuer.token()}", "Origin": "https://evil.example"}
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        client.websocket_connect("/socket", headers=cookie),
    ):
        pass
    assert denied.value.status_code == 403


def test_an_application_that_handles_refusals_itself_keeps_doing_so(app: FastAPI) -> None:
    @app.exception_handler(RequestRefused)
    def handle(request: Request, refused: RequestRefused) -> JSONResponse:
        return JSONResponse({"mine": refused.refusal.reason}, 418)

    with TestClient(app) as client:
        assert client.get("/me").json() == {"mine": "missing"}


def test_an_application_with_its_own_http_errors_keeps_them(app: FastAPI) -> None:
    from starlette.exceptions import HTTPException as StarletteHTTPException

    @app.exception_handler(StarletteHTTPException)
    def handle(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"envelope": error.detail}, error.status_code, error.headers)

    with TestClient(app) as client:
        answer = client.get("/me")
    assert answer.status_code == 401
    assert answer.json()["envelope"]["error"] == "missing"


def test_refusals_never_echo_the_token(client: TestClient, issuer: LocalIssuer) -> None:
    token = issuer.token() + "x"
    answer = client.get("/me", headers={"Authorization": f"Bearer {token}"})
    assert token[:30] not in answer.text + str(answer.headers)


def test_routes_with_a_freshness_of_their_own_are_in_the_openapi_document_too(network: Network) -> None:
    """One scheme, however many dependencies: Swagger's Authorize asks once, and sends the header to each route."""
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=network, heartbeat=1)
    app = FastAPI(dependencies=[Depends(guard)])

    @app.get("/a", dependencies=[Depends(guard.require("a", freshness=Freshness(5, "refuse")))])
    def route() -> None: ...

    document: dict[str, Any] = TestClient(app).get("/openapi.json").json()
    assert list(document["components"]["securitySchemes"]) == ["access_token"]
    assert {"access_token": ["a"]} in document["paths"]["/a"]["get"]["security"]
    assert "parameters" not in document["paths"]["/a"]["get"]


def test_what_swaggers_authorize_sends_is_what_the_guard_reads(
    client: TestClient, issuer: LocalIssuer
) -> None:
    """`type: http, scheme: bearer` (OpenAPI 3.1 §4.8.27) means `Authorization: Bearer` and what was typed."""
    scheme = client.get("/openapi.json").json()["components"]["securitySchemes"]["access_token"]
    typed = issuer.token("alice")
    header = {"Authorization": f"{scheme['scheme'].capitalize()} {typed}"}
    assert client.get("/me", headers=header).json() == {"sub": "alice"}
    assert "SwaggerUIBundle" in client.get("/docs").text


def test_scopes_of_dependencies_around_a_requirement_are_asked_for_as_well(
    guard: Guard, issuer: LocalIssuer
) -> None:
    app = FastAPI()
    needs_a = guard.require("a")

    @app.get("/both")
    def both(user: Annotated[Principal, Security(needs_a, scopes=["b"])]) -> str:
        return user.sub

    client = TestClient(app)
    assert client.get("/both", headers=issuer.bearer(scope="a")).status_code == 403
    assert client.get("/both", headers=issuer.bearer(scope="a b")).status_code == 200


def test_one_request_is_one_decision_for_an_observer(network: Network, issuer: LocalIssuer) -> None:
    heard = []

    class Notes:
        def decided(self, outcome: Principal | Refusal, request: Any) -> None:
            heard.append((request.scope["path"], getattr(outcome, "reason", "admitted")))

    guard = Guard(
        forge.ISSUER, audience=forge.API, fetch=issuer.fetch, observer=Notes(), clock=lambda: forge.NOW
    )
    guard.close()
    app = FastAPI()

    @app.get("/admin", dependencies=[Depends(guard.require("a", role="admin"))])
    def admin() -> None: ...

    client = TestClient(app)
    client.get("/admin", headers=issuer.bearer(scope="a", roles=["admin"]))
    client.get("/admin", headers=issuer.bearer(scope="a"))
    client.get("/admin")
    assert heard == [("/admin", "admitted"), ("/admin", "insufficient_scope"), ("/admin", "missing")]


def test_metadata_stay_out_of_the_openapi_document_and_need_no_token(issuer: LocalIssuer) -> None:
    guard = Guard(forge.ISSUER, audience=forge.API + "/v1", fetch=issuer.fetch, metadata={})
    app = FastAPI(dependencies=[Depends(guard)])
    guard.serve_metadata(app)
    client = TestClient(app)
    place = "/.well-known/oauth-protected-resource/v1"
    assert client.get(place).json()["resource"] == forge.API + "/v1"
    assert client.head(place).status_code == 200
    assert place not in client.get("/openapi.json").json()["paths"]


def test_a_guard_without_metadata_has_none_to_serve(guard: Guard) -> None:
    with pytest.raises(ValueError, match="metadata="):
        guard.serve_metadata(FastAPI())
