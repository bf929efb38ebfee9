""" "Your first own app" in docs/services/README.md: what each of the two settings does, and what is missing without it."""

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.protocol import cookies
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.set_cookie import set_cookies
from tests.conftest import PASSWORD, MakeServer, add_account
from tests.visitor import Visitor

APP = "https://app.example.com"
RETURN = {"return_to": f"{APP}/"}

pytestmark = SQLITE_ONLY


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server(allowed_origins=(APP,), cookie_domain="example.com")


def test_a_sign_in_leads_back_to_an_app_that_is_allowed(visitor: Visitor, alice: Account) -> None:
    fields = {"username": alice.username, "password": PASSWORD, **RETURN}
    answer = visitor.form(f"/login?return_to={APP}/", "/login", fields)
    assert answer.headers["location"] == RETURN["return_to"]
    assert visitor.get("/login", params=RETURN).headers["location"] == RETURN["return_to"]


def test_its_page_may_ask_for_the_name(visitor: Visitor, alice: Account) -> None:
    assert visitor.sign_in(alice.username, PASSWORD).json()["username"] == alice.display_name
    answer = visitor.get("/account", headers={"Origin": APP, "Accept": "application/json"})
    assert answer.headers["access-control-allow-origin"] == APP
    assert answer.headers["access-control-allow-credentials"] == "true"
    told = answer.json()
    assert (told["sub"], told["username"], told["roles"]) == (
        alice.id,
        alice.display_name,
        list(alice.roles),
    )


def test_the_token_cookie_reaches_the_sibling_and_the_session_cookie_does_not(
    visitor: Visitor, alice: Account
) -> None:
    answer = visitor.sign_in(alice.username, PASSWORD)
    lines = {line.partition("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}
    assert "domain=example.com" in lines[cookies.TOKEN_WITH_DOMAIN]
    assert "domain=" not in lines[cookies.SESSION]
    assert cookies.TOKEN_HOST_ONLY not in set_cookies(answer)


def test_without_them_neither_is_so(make_server: MakeServer, make_visitor: MakeVisitor) -> None:
    server = make_server()
    add_account(server, "bob")
    visitor = make_visitor(server)
    answer = visitor.sign_in("bob", PASSWORD)
    assert cookies.TOKEN_HOST_ONLY in set_cookies(answer)
    assert visitor.get("/login", params=RETURN).headers["location"] == "/account"
    account = visitor.get("/account", headers={"Origin": APP, "Accept": "application/json"})
    assert "access-control-allow-origin" not in account.headers
