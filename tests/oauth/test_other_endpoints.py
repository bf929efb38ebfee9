"""Pushed requests, revocation and introspection, as their RFCs have it."""

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from tests.conftest import PASSWORD
from tests.oauth.conftest import App, MakeApp, returned
from tests.visitor import Visitor


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in("alice", PASSWORD)
    return visitor


def test_pushed_request_is_named_and_answered_once(app: App, signed_in: Visitor) -> None:
    pushed = signed_in.post("/oauth2/par", data=app.request(), auth=app.auth)
    assert pushed.status_code == 201, pushed.text
    assert set(pushed.json()) == {"request_uri", "expires_in"}
    query = {"client_id": app.client.client_id, "request_uri": pushed.json()["request_uri"]}
    answer = returned(signed_in.get("/oauth2/authorize", params=query))
    assert app.exchange(signed_in, answer["code"]).status_code == 200
    assert signed_in.get("/oauth2/authorize", params=query).status_code == 400


def test_revoked_access_token_is_on_the_list(server: Server, app: App, signed_in: Visitor) -> None:
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    answer = signed_in.post("/oauth2/revoke", data={"token": tokens["access_token"]}, auth=app.auth)
    assert (answer.status_code, answer.text) == (200, "")
    server.follow()
    assert [entry.kind for entry in server.revocations.known.entries] == ["jti"]  # type: ignore[union-attr]
    assert introspected(app, signed_in, tokens["access_token"]) == {"active": False}


def test_revoked_refresh_token_ends_all_that_came_of_the_code(
    server: Server, app: App, signed_in: Visitor
) -> None:
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    signed_in.post("/oauth2/revoke", data={"token": tokens["refresh_token"]}, auth=app.auth)
    server.follow()
    assert introspected(app, signed_in, tokens["access_token"]) == {"active": False}
    assert app.refresh(signed_in, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_living_tokens_are_described_to_their_client(app: App, signed_in: Visitor, alice: Account) -> None:
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    told = introspected(app, signed_in, tokens["access_token"])
    assert (told["active"], told["sub"], told["scope"]) == (True, alice.id, "openid orders:read")
    told = introspected(app, signed_in, tokens["refresh_token"])
    assert (told["active"], told["sub"]) == (True, alice.id)


def test_tokens_of_others_are_not_described(app: App, make_app: MakeApp, signed_in: Visitor) -> None:
    other = make_app(client_id="billing-api", redirect_uris=(), grant_types=("client_credentials",))
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    assert introspected(other, signed_in, tokens["access_token"]) == {"active": False}
    assert introspected(other, signed_in, tokens["refresh_token"]) == {"active": False}


def introspected(app: App, visitor: Visitor, token: str) -> dict[str, object]:
    answer = visitor.post("/oauth2/introspect", data={"token": token}, auth=app.auth)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
