from collections.abc import Iterator

import pytest
from flask import Blueprint, Flask, Response
from flask.testing import FlaskClient
from flask.views import MethodView
from werkzeug.exceptions import HTTPException

from authserver.resource.flask import Guard, Principal, RequestRefused, current_principal
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
def app(guard: Guard) -> Flask:
    app = Flask(__name__)

    @app.get("/me")
    @guard.require()
    def me() -> str:
        return current_principal.sub

    @app.get("/open")
    def anybody() -> str:
        return "anybody"

    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client(use_cookies=False)


def test_three_lines_protect_a_view(client: FlaskClient, issuer: LocalIssuer) -> None:
    assert client.get("/me", headers=issuer.bearer("alice")).text == "alice"
    assert client.get("/me").status_code == 401


def test_the_current_principal_is_a_principal(app: Flask, guard: Guard, issuer: LocalIssuer) -> None:
    seen = []

    @app.get("/seen")
    @guard.require()
    def view() -> str:
        seen.append(
            (
                isinstance(current_principal, Principal),
                current_principal.has_scope("a"),
                str(current_principal),
            )
        )
        return ""

    app.test_client().get("/seen", headers=issuer.bearer("alice", scope="a"))
    assert seen == [(True, True, "alice")]


def test_the_current_principal_is_an_error_where_no_guard_stands(app: Flask) -> None:
    with pytest.raises(RuntimeError, match=r"put @guard.require\(\)"):
        current_principal.sub  # noqa: B018 - what is tested
    with app.test_request_context("/open"), pytest.raises(RuntimeError, match="behind a guard"):
        current_principal.sub  # noqa: B018 - what is tested


def test_the_principal_of_one_request_is_not_that_of_the_next(app: Flask, issuer: LocalIssuer) -> None:
    """`g` would outlive the request here: the application's context is open around both."""

    @app.get("/leak")
    def leak() -> str:
        return current_principal.sub

    app.testing = True
    with app.app_context():
        assert app.test_client().get("/me", headers=issuer.bearer("alice")).status_code == 200
        with pytest.raises(RuntimeError, match="behind a guard"):
            app.test_client().get("/leak")


def test_a_client_cannot_name_itself(app: Flask) -> None:
    @app.get("/claim")
    def claim() -> str:
        return current_principal.sub

    app.testing = True
    with pytest.raises(RuntimeError, match="behind a guard"):
        app.test_client().get("/claim", headers={"authserver.principal": "alice"})


def test_the_views_name_and_arguments_stay(app: Flask, guard: Guard, issuer: LocalIssuer) -> None:
    @app.get("/orders/<int:number>")
    @guard.require("orders:read")
    def order(number: int) -> dict[str, int]:
        return {"number": number}

    assert "order" in app.view_functions
    answer = app.test_client().get("/orders/7", headers=issuer.bearer(scope="orders:read"))
    assert answer.json == {"number": 7}


def test_a_blueprint_can_be_protected_as_a_whole(app: Flask, guard: Guard, issuer: LocalIssuer) -> None:
    orders = Blueprint("orders", __name__)
    guard.protect(orders)

    @orders.get("/orders")
    def listing() -> str:
        return current_principal.sub

    @orders.get("/orders/health")
    @guard.exempt
    def health() -> str:
        return "well"

    app.register_blueprint(orders)
    client = app.test_client()
    assert client.get("/orders").status_code == 401
    assert client.get("/orders", headers=issuer.bearer("alice")).text == "alice"
    assert client.get("/orders/health").text == "well"
    assert client.get("/open").text == "anybody"


def test_an_application_can_be_protected_as_a_whole(app: Flask, guard: Guard, issuer: LocalIssuer) -> None:
    guard.protect(app)
    client = app.test_client()
    assert client.get("/open").status_code == 401
    assert client.get("/open", headers=issuer.bearer()).status_code == 200
    assert client.get("/not-there").status_code == 401
    assert client.get("/static/x.css").status_code == 401


def test_what_is_exempt_stays_so_under_other_decorators_and_with_a_guard_of_its_own(
    app: Flask, guard: Guard, issuer: LocalIssuer
) -> None:
    guard.protect(app)

    @app.get("/scoped")
    @guard.require("a")
    @guard.exempt
    def scoped() -> str:
        return "scoped"

    client = app.test_client()
    assert client.get("/scoped").status_code == 401
    assert client.get("/scoped", headers=issuer.bearer(scope="a")).text == "scoped"


def test_the_question_a_browser_asks_first_needs_no_token(app: Flask, guard: Guard) -> None:
    guard.protect(app)

    @app.route("/own-options", methods=["OPTIONS"])
    def own_options() -> str:
        return "secret"

    assert app.test_client().options("/open").status_code == 200
    assert app.test_client().options("/own-options").status_code == 401
    assert app.test_client().options("/not-there").status_code == 401


def test_class_based_views_take_it_as_a_decorator(app: Flask, guard: Guard, issuer: LocalIssuer) -> None:
    class Orders(MethodView):
        decorators = [guard.require("orders:write")]  # noqa: RUF012 - as Flask declares it

        def delete(self) -> str:
            return current_principal.sub

    app.add_url_rule("/orders", view_func=Orders.as_view("orders"))
    client = app.test_client()
    assert client.delete("/orders", headers=issuer.bearer("alice", scope="orders:write")).text == "alice"
    assert client.delete("/orders", headers=issuer.bearer("alice")).status_code == 403


def test_an_error_handler_by_status_keeps_its_say(app: Flask, client: FlaskClient) -> None:
    @app.errorhandler(401)
    def sign_in(_error: HTTPException) -> tuple[str, int]:
        return "please sign in", 401

    assert client.get("/me").text == "please sign in"


def test_an_error_handler_for_refusals_knows_the_reason(app: Flask, client: FlaskClient) -> None:
    @app.errorhandler(RequestRefused)
    def refused(error: RequestRefused) -> Response:
        return Response(error.refusal.reason, 418)

    assert (client.get("/me").status_code, client.get("/me").text) == (418, "missing")


def test_a_handler_of_all_http_errors_finds_the_headers(app: Flask, client: FlaskClient) -> None:
    @app.errorhandler(HTTPException)
    def mine(error: HTTPException) -> Response:
        response = error.get_response()
        response.set_data("mine")
        return response  # type: ignore[return-value]

    answer = client.get("/me")
    assert (answer.status_code, answer.text) == (401, "mine")
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{forge.API}"'


def test_a_decorator_without_its_parentheses_is_noticed_at_once(guard: Guard) -> None:
    with pytest.raises(ValueError, match="one scope or role"):
        guard.require(lambda: "")  # type: ignore[arg-type]


def test_refusals_never_echo_the_token_from_flask(client: FlaskClient, issuer: LocalIssuer) -> None:
    token = issuer.token() + "x"
    answer = client.get("/me", headers={"Authorization": f"Bearer {token}"})
    assert token[:30] not in answer.text + str(answer.headers)


def test_a_services_own_tests_need_no_issuer(app: Flask, guard: Guard) -> None:
    with guard.testing() as local:
        assert app.test_client().get("/me", headers=local.bearer("bob")).text == "bob"


def test_metadata_are_public_in_an_application_that_is_protected(issuer: LocalIssuer) -> None:
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=issuer.fetch, metadata={"resource_name": "Orders"})
    app = Flask(__name__)
    guard.protect(app)
    guard.serve_metadata(app)
    answer = app.test_client().get("/.well-known/oauth-protected-resource")
    assert (answer.status_code, answer.get_json()["resource_name"]) == (200, "Orders")
    assert app.test_client().get("/elsewhere").status_code == 401
