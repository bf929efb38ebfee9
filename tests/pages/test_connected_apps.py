"""What an app was allowed stands on the account page, and can be taken back there."""

from collections.abc import Callable

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from tests.conftest import PASSWORD, add_account
from tests.oauth.conftest import App, MakeApp, app, make_app, on_the_way
from tests.visitor import Visitor

__all__ = ["app", "make_app"]


@pytest.fixture
def shop(make_app: MakeApp) -> App:
    return make_app(
        client_id="shop",
        client_name="Shop",
        first_party=False,
    )


@pytest.fixture
def tokens(shop: App, visitor: Visitor, alice: Account) -> dict[str, str]:
    """Of an app that alice allowed to see her."""
    visitor.sign_in("alice", PASSWORD)
    path, query = on_the_way(shop.authorize(visitor))
    assert path == "/consent"
    page = f"/consent?client_id=shop&request_uri={query['request_uri']}"
    back = visitor.form(page, "/consent", {**query, "decision": "allow"}).headers["location"]
    code = visitor.get(back).headers["location"].partition("code=")[2].partition("&")[0]
    found: dict[str, str] = shop.exchange(visitor, code).json()
    return found


def apps_of(visitor: Visitor) -> list[str]:
    answer = visitor.get("/account", headers={"Accept": "application/json"})
    return [each["name"] for each in answer.json()["apps"]]


def test_disconnected_app_is_gone_from_the_page_and_its_tokens_are_worth_nothing(
    server: Server, shop: App, tokens: dict[str, str], visitor: Visitor
) -> None:
    assert apps_of(visitor) == ["Shop"]
    assert "Shop" in visitor.get("/account", headers={"Accept": "text/html"}).text
    answer = visitor.form("/account", "/account/apps/shop/disconnect", {})
    assert answer.headers["location"] == "/account?done=app"
    assert apps_of(visitor) == []
    assert shop.refresh(visitor, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    server.follow()
    known = server.revocations.known
    assert known is not None
    assert [entry.kind for entry in known.entries] == ["grant_id"]
    assert on_the_way(shop.authorize(visitor))[0] == "/consent", "it asks again"


def test_disconnecting_needs_the_page_and_ends_nothing_of_others(
    server: Server, shop: App, tokens: dict[str, str], visitor: Visitor, make_visitor: Callable[..., Visitor]
) -> None:
    add_account(server, "Bob")
    bob = make_visitor(server)
    bob.sign_in("bob", PASSWORD)
    assert bob.form("/account", "/account/apps/shop/disconnect", {}).status_code == 303
    forged = visitor.post("/account/apps/shop/disconnect", headers={"Origin": "https://evil.example"})
    assert forged.status_code == 403
    assert apps_of(visitor) == ["Shop"]
    assert shop.refresh(visitor, tokens["refresh_token"]).status_code == 200
