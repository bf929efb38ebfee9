"""From the first redirect to the last refresh, as an app goes it."""

from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from authserver.accounts.store import Account
from authserver.app import Server
from tests.conftest import ISSUER, PASSWORD
from tests.oauth.conftest import App, on_the_way, returned
from tests.visitor import Visitor


def read(server: Server, token: str) -> tuple[dict[str, object], dict[str, object]]:
    """Header and claims, verified with the published keys by another library."""
    jwks: Any = server.keyring.snapshot.jwks
    keys = KeySet.import_key_set(jwks)
    decoded = jwt.decode(token, keys, algorithms=["ES256"])
    return decoded.header, decoded.claims


def test_who_is_signed_in_is_sent_back_with_a_code(app: App, alice: Account, visitor: Visitor) -> None:
    visitor.sign_in("alice", PASSWORD)
    answer = returned(app.authorize(visitor))
    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("af0ifjsldkj", ISSUER)


def test_code_buys_tokens_that_say_who_and_for_whom(
    server: Server, app: App, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in("alice", PASSWORD)
    answer = app.exchange(visitor, app.code(visitor))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    header, claims = read(server, tokens["access_token"])
    assert header["typ"] == "at+jwt"
    assert (claims["sub"], claims["client_id"], claims["aud"]) == (alice.id, "orders-web", ISSUER)
    header, claims = read(server, tokens["id_token"])
    assert (claims["sub"], claims["aud"], claims["nonce"]) == (alice.id, "orders-web", "n-0S6_WzA2Mj")


def test_who_is_not_signed_in_signs_in_and_goes_on_to_the_app(
    app: App, alice: Account, visitor: Visitor
) -> None:
    path, query = on_the_way(app.authorize(visitor))
    assert path == "/login"
    page = visitor.get("/login", params=query, headers={"Accept": "text/html"})
    assert page.status_code == 200
    fields = {"username": "alice", "password": PASSWORD, "return_to": query["return_to"]}
    answer = visitor.form(f"/login?return_to={query['return_to']}", "/login", fields)
    assert answer.headers["location"] == query["return_to"]
    assert returned(visitor.get(query["return_to"]))["state"] == "af0ifjsldkj"


def test_refresh_gives_new_tokens_for_the_same_authorization(
    server: Server, app: App, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in("alice", PASSWORD)
    first = app.exchange(visitor, app.code(visitor)).json()
    answer = app.refresh(visitor, first["refresh_token"])
    assert answer.status_code == 200, answer.text
    second = answer.json()
    assert second["refresh_token"] != first["refresh_token"]
    (_, before), (_, after) = (read(server, each["access_token"]) for each in (first, second))
    assert before["grant_id"] == after["grant_id"]
    assert before["jti"] != after["jti"]


def test_public_app_needs_no_secret_and_its_verifier(
    public_app: App, alice: Account, visitor: Visitor
) -> None:
    visitor.sign_in("alice", PASSWORD)
    assert public_app.exchange(visitor, public_app.code(visitor)).status_code == 200


def test_client_gets_a_token_of_its_own(server: Server, app: App, visitor: Visitor) -> None:
    answer = app.token(visitor, grant_type="client_credentials", scope="orders:read")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}
    _, claims = read(server, answer.json()["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == (
        "orders-web",
        "orders-web",
        "orders:read",
    )
    assert "sid" not in claims
