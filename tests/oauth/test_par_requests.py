"""RFC 9126: a request is pushed by its client, named once, and answered once."""

import re

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.authorizations.models import authorization_request
from authserver.authorizations.requests import PUSHED_FOR
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.oauth.conftest import App, MakeApp, returned
from tests.oauth.reading import PAGE, Later, error, leads_nowhere
from tests.visitor import Visitor

pytestmark = SQLITE_ONLY  # what is read and refused here, no database has a part in

NAME = re.compile(r"urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}")


@pytest.fixture
def later(clock: HandClock, server: Server) -> Later:
    return Later(clock, server)


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    return visitor


def push(app: App, visitor: Visitor, **more: str | None) -> dict[str, str]:
    answer = visitor.post("/oauth2/par", data=app.request(**more), auth=app.auth)
    assert answer.status_code == 201, answer.text
    return {"client_id": app.client.client_id, "request_uri": answer.json()["request_uri"]}


def test_name_is_a_secret_and_good_for_less_than_ten_minutes(app: App, visitor: Visitor) -> None:
    answer = visitor.post("/oauth2/par", data=app.request(), auth=app.auth)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert set(answer.json()) == {"request_uri", "expires_in"}
    assert NAME.fullmatch(answer.json()["request_uri"])
    assert 0 < answer.json()["expires_in"] < 600
    assert push(app, visitor)["request_uri"] != answer.json()["request_uri"]


def test_pushed_request_is_answered_once(app: App, signed_in: Visitor) -> None:
    named = push(app, signed_in)
    assert "code" in returned(signed_in.get("/oauth2/authorize", params=named))
    assert leads_nowhere(signed_in.get("/oauth2/authorize", params=named, headers=PAGE))
    assert leads_nowhere(signed_in.post("/oauth2/authorize", data=named, headers=PAGE))


def test_pushed_request_that_ended_in_an_error_is_over_too(app: App, visitor: Visitor) -> None:
    named = push(app, visitor, prompt="none")
    assert returned(visitor.get("/oauth2/authorize", params=named))["error"] == "login_required"
    assert leads_nowhere(visitor.get("/oauth2/authorize", params=named, headers=PAGE))


def test_pushed_request_waits_for_five_minutes(app: App, later: Later, signed_in: Visitor) -> None:
    first, second = push(app, signed_in), push(app, signed_in)
    later(PUSHED_FOR.total_seconds() - 1)
    assert "code" in returned(signed_in.get("/oauth2/authorize", params=first))
    later(1)
    assert leads_nowhere(signed_in.get("/oauth2/authorize", params=second, headers=PAGE))


def test_pushed_request_of_one_client_is_nothing_to_another(
    app: App, make_app: MakeApp, signed_in: Visitor
) -> None:
    other = make_app(client_id="other")
    named = push(app, signed_in)
    stolen = {**named, "client_id": other.client.client_id}
    for fields in (stolen, {"request_uri": named["request_uri"]}):
        assert leads_nowhere(signed_in.get("/oauth2/authorize", params=fields, headers=PAGE))
    assert "code" in returned(signed_in.get("/oauth2/authorize", params=named))


def test_what_stands_beside_the_name_counts_for_nothing(app: App, signed_in: Visitor) -> None:
    named = push(app, signed_in, scope="openid", state="pushed")
    beside = {"scope": "openid orders:write", "state": "beside", "redirect_uri": "https://evil.example/"}
    told = returned(signed_in.get("/oauth2/authorize", params={**beside, **named}))
    assert told["state"] == "pushed"
    assert app.exchange(signed_in, told["code"]).json()["scope"] == "openid"


@pytest.mark.parametrize(
    "name",
    [
        "urn:ietf:params:oauth:request_uri:",
        "urn:ietf:params:oauth:request_uri:" + "A" * 43,
        "urn:ietf:params:oauth:request_uri:주문",
        "urn:ietf:params:oauth:request_uri:" + "A" * 5000,
    ],
)
def test_name_that_was_not_given_out_leads_nowhere(app: App, signed_in: Visitor, name: str) -> None:
    fields = app.request(request_uri=name)
    assert leads_nowhere(signed_in.get("/oauth2/authorize", params=fields, headers=PAGE))
    assert leads_nowhere(signed_in.post("/oauth2/authorize", data=fields, headers=PAGE))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"),
        ({"request_uri": "https://orders.example/r"}, "request_uri_not_supported"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "nothing:known"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"resource": "https://other.example/"}, "invalid_target"),
        ({"state": "x" * 2001}, "invalid_request"),
        ({"redirect_uri": '"주문\\'}, "invalid_request"),
    ],
    ids=lambda each: str(each)[:50],
)
def test_what_is_wrong_with_a_request_is_said_when_it_is_pushed(
    app: App, visitor: Visitor, sent: dict[str, str | None], expected: str
) -> None:
    answer = visitor.post("/oauth2/par", data=app.request(**sent), auth=app.auth)
    assert error(answer) == expected


def test_request_for_another_client_cannot_be_pushed(app: App, make_app: MakeApp, visitor: Visitor) -> None:
    other = make_app(client_id="other")
    answer = visitor.post("/oauth2/par", data=other.request(), auth=app.auth)
    assert error(answer, 401) == "invalid_client"


def test_secret_is_not_stored_with_the_request(server: Server, make_app: MakeApp, visitor: Visitor) -> None:
    app = make_app(token_endpoint_auth_method="client_secret_post")
    fields = app.request() | {"client_secret": str(app.secret)}
    assert visitor.post("/oauth2/par", data=fields).status_code == 201
    kept = server.capabilities.database.read(lambda db: db.execute(authorization_request.select()).all())
    assert len(kept) == 1
    assert str(app.secret) not in repr(kept)


def test_name_is_not_stored_but_its_hash(server: Server, app: App, visitor: Visitor) -> None:
    name = push(app, visitor)["request_uri"].rpartition(":")[2]
    kept = server.capabilities.database.read(lambda db: db.execute(authorization_request.select()).all())
    assert name not in repr(kept)
