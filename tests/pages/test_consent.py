"""What an app may do is asked once, in words, and only its person can answer: SECURITY O32, OIDC Core §3.1.2.4."""

import html
from collections.abc import Callable
from urllib.parse import urlencode

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from authserver.consents import store as consents
from tests.conftest import ISSUER, PASSWORD, add_account
from tests.oauth.conftest import App, MakeApp, make_app, on_the_way, returned
from tests.oauth.reading import PAGE, events, leads_nowhere
from tests.visitor import FORM_TOKEN, Visitor

__all__ = ["make_app"]

MakeVisitor = Callable[..., Visitor]
Query = dict[str, str]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(first_party=False, id_token_signed_response_alg="ES256")


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    return visitor


def asked(app: App, visitor: Visitor, **more: str | None) -> Query:
    """Go to the app's sign-in; answer where the consent page is."""
    path, query = on_the_way(app.authorize(visitor, **more))
    assert path == "/consent"
    assert set(query) == {"client_id", "request_uri"}
    return query


def page(visitor: Visitor, query: Query, **headers: str) -> httpx2.Response:
    return visitor.get("/consent", params=query, headers={**PAGE, **headers})


def decide(visitor: Visitor, query: Query, decision: str = "allow", **more: str) -> httpx2.Response:
    return visitor.form(f"/consent?{urlencode(query)}", "/consent", {**query, "decision": decision, **more})


def resumed(visitor: Visitor, query: Query) -> httpx2.Response:
    return visitor.get("/oauth2/authorize", params=query, headers=PAGE)


def remembered(server: Server, account: Account, app: App) -> set[str]:
    return set(
        server.capabilities.database.read(lambda db: consents.scopes(db, account.id, app.client.client_id))
    )


def test_page_says_which_app_asks_whom_for_what_and_where_it_leads(app: App, signed_in: Visitor) -> None:
    shown = page(signed_in, asked(app, signed_in, scope="openid email orders:read offline_access"))
    assert shown.status_code == 200
    text = html.unescape(shown.text)
    for said in (
        "Orders",
        "Alice",
        "orders.example",
        "See your e-mail address",
        "orders:read",
        "Stay connected",
    ):
        assert said in text
    for not_asked in ("See your name", "orders:write", "See your roles"):
        assert not_asked not in text
    assert "form-action 'self' https://orders.example" in shown.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"


def test_page_speaks_korean(app: App, signed_in: Visitor) -> None:
    shown = page(signed_in, asked(app, signed_in), **{"Accept-Language": "ko"})
    assert 'lang="ko"' in shown.text
    assert "Allow access" not in shown.text


def test_name_of_an_app_is_text_and_no_markup(make_app: MakeApp, signed_in: Visitor) -> None:
    hostile = '<script>alert(1)</script>"\u202e%(host)s{{ 7 * 7 }}'
    app = make_app(first_party=False, client_name=hostile, scope="openid <b>x</b>")
    shown = page(signed_in, asked(app, signed_in, scope="openid <b>x</b>"))
    assert shown.status_code == 200
    assert "<script>alert" not in shown.text
    assert "<b>" not in shown.text
    assert "49" not in shown.text.partition("<h1>")[2].partition("</h1>")[0]


def test_yes_leads_to_a_code_and_is_remembered(
    server: Server, app: App, alice: Account, signed_in: Visitor
) -> None:
    query = asked(app, signed_in)
    answer = decide(signed_in, query)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/oauth2/authorize?")
    assert returned(signed_in.get(answer.headers["location"]))["state"] == "af0ifjsldkj"
    assert remembered(server, alice, app) == {"openid", "orders:read"}
    assert events(server)[0] == "consent.given"
    assert "code" in returned(app.authorize(signed_in))
    assert "code" in returned(app.authorize(signed_in, prompt="none"))
    assert "code" in returned(app.authorize(signed_in, scope="openid"))


@pytest.mark.parametrize("decision", ["refuse", "", "ALLOW", "allow ", "true"])
def test_everything_but_yes_is_no_and_is_not_remembered(
    server: Server, app: App, alice: Account, signed_in: Visitor, decision: str
) -> None:
    query = asked(app, signed_in)
    told = returned(signed_in.get(decide(signed_in, query, decision).headers["location"]))
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", "af0ifjsldkj", ISSUER)
    assert remembered(server, alice, app) == set()
    assert leads_nowhere(resumed(signed_in, query))
    assert asked(app, signed_in)["request_uri"] != query["request_uri"]


def test_more_than_was_allowed_is_asked_again_and_less_is_not(
    server: Server, app: App, alice: Account, signed_in: Visitor
) -> None:
    decide(signed_in, asked(app, signed_in, scope="openid profile"))
    assert "code" in returned(app.authorize(signed_in, scope="openid"))
    told = returned(app.authorize(signed_in, scope="openid email", prompt="none"))
    assert told["error"] == "consent_required"
    query = asked(app, signed_in, scope="openid email")
    decide(signed_in, query)
    assert remembered(server, alice, app) == {"openid", "profile", "email"}
    assert "code" in returned(app.authorize(signed_in, scope="openid profile email"))


def test_prompt_consent_asks_although_it_was_allowed(app: App, make_app: MakeApp, signed_in: Visitor) -> None:
    decide(signed_in, asked(app, signed_in))
    query = asked(app, signed_in, prompt="consent")
    assert "code" in returned(signed_in.get(decide(signed_in, query).headers["location"]))
    own = make_app(client_id="own")
    assert "code" in returned(own.authorize(signed_in))
    asked(own, signed_in, prompt="consent")


def test_what_was_taken_back_is_asked_again(
    server: Server, app: App, alice: Account, signed_in: Visitor
) -> None:
    decide(signed_in, asked(app, signed_in))
    client_id = app.client.client_id
    assert server.capabilities.database.write(lambda db: consents.take_back(db, alice.id, client_id))
    asked(app, signed_in)


def test_page_can_be_loaded_again_and_is_over_when_it_was_answered(app: App, signed_in: Visitor) -> None:
    query = asked(app, signed_in)
    assert page(signed_in, query).text == page(signed_in, query).text
    assert on_the_way(resumed(signed_in, query)) == ("/consent", query)
    decide(signed_in, query)
    assert "code" in returned(resumed(signed_in, query))
    assert page(signed_in, query).status_code == 400
    assert decide(signed_in, query).status_code in (400, 403)


def test_scopes_that_were_not_asked_for_are_not_allowed_along(
    server: Server, app: App, alice: Account, signed_in: Visitor
) -> None:
    """A request that names no scope gets all but two; so that is what is shown, and what is remembered."""
    query = asked(app, signed_in, scope=None)
    assert "Stay connected" not in page(signed_in, query).text
    decide(signed_in, query)
    assert not {"openid", "offline_access"} & remembered(server, alice, app)
    asked(app, signed_in, scope="openid")


# whose answer it is


def raw(visitor: Visitor, fields: dict[str, str], **headers: str) -> httpx2.Response:
    return visitor.post("/consent", data=fields, headers={**PAGE, **headers})


def test_only_a_page_of_ours_can_answer(
    server: Server, app: App, alice: Account, make_visitor: MakeVisitor, signed_in: Visitor
) -> None:
    query = asked(app, signed_in)
    found = FORM_TOKEN.search(page(signed_in, query).text)
    assert found
    bob = make_visitor(server)
    bob.sign_in(add_account(server, "Bob").username, PASSWORD)
    others = FORM_TOKEN.search(page(bob, asked(app, bob)).text)
    assert others
    good, yes = {"form_token": found[1]}, {**query, "decision": "allow"}
    ours = {"Origin": ISSUER}
    forged = [
        raw(signed_in, yes, **ours),
        raw(signed_in, {**yes, "form_token": ""}, **ours),
        raw(signed_in, {**yes, "form_token": others[1]}, **ours),
        raw(signed_in, {**yes, "form_token": found[1][:-1]}, **ours),
        raw(signed_in, {**yes, **good}, Origin="https://orders.example"),
        raw(signed_in, {**yes, **good}, Origin="null"),
        raw(signed_in, {**yes, **good}, **{"Sec-Fetch-Site": "cross-site"}),
        signed_in.post("/consent", json=yes, headers={"Origin": "https://orders.example"}),
    ]
    assert {answer.status_code for answer in forged} == {403}
    assert signed_in.get("/consent", params={**yes, **good}, headers=PAGE).status_code == 200
    assert (
        signed_in.post("/consent", content=urlencode(yes), headers={"Content-Type": "text/plain"}).status_code
        == 415
    )
    assert remembered(server, alice, app) == set()
    assert on_the_way(resumed(signed_in, query))[0] == "/consent"


def test_yes_to_one_app_is_no_yes_to_another(
    server: Server, app: App, make_app: MakeApp, alice: Account, signed_in: Visitor
) -> None:
    other = make_app(client_id="other", client_name="Other", first_party=False)
    mine, theirs = asked(app, signed_in), asked(other, signed_in)
    for mixed in ({**mine, "client_id": "other"}, {**theirs, "client_id": "orders-web"}):
        fields = {**mixed, "decision": "allow"}
        answer = signed_in.form(f"/consent?{urlencode(mine)}", "/consent", fields)
        assert answer.status_code == 400
    decide(signed_in, mine)
    assert remembered(server, alice, other) == set()
    assert on_the_way(resumed(signed_in, theirs))[0] == "/consent"


def test_yes_counts_for_one_request_and_one_session(
    server: Server, app: App, alice: Account, make_visitor: MakeVisitor, signed_in: Visitor
) -> None:
    """A yes that somebody else's browser brings to the request is not this person's."""
    query = asked(app, signed_in)
    bob = make_visitor(server)
    bob.sign_in(add_account(server, "Bob").username, PASSWORD)
    decide(bob, query)
    assert on_the_way(resumed(signed_in, query))[0] == "/consent"
    assert remembered(server, alice, app) == set()


def test_no_of_somebody_else_does_not_end_the_request(
    server: Server, app: App, make_visitor: MakeVisitor, signed_in: Visitor
) -> None:
    query = asked(app, signed_in)
    bob = make_visitor(server)
    bob.sign_in(add_account(server, "Bob").username, PASSWORD)
    decide(bob, query, "refuse")
    assert on_the_way(resumed(signed_in, query))[0] == "/consent"


def test_scope_that_is_added_to_the_form_counts_for_nothing(
    server: Server, app: App, alice: Account, signed_in: Visitor
) -> None:
    query = asked(app, signed_in, scope="openid")
    answer = decide(signed_in, query, scope="openid orders:write", scopes="orders:write")
    code = returned(signed_in.get(answer.headers["location"]))["code"]
    assert app.exchange(signed_in, code).json()["scope"] == "openid"
    assert remembered(server, alice, app) == {"openid"}


def test_whoever_is_not_signed_in_is_sent_round_by_the_sign_in(
    server: Server, app: App, make_visitor: MakeVisitor, signed_in: Visitor
) -> None:
    query, stranger = asked(app, signed_in), make_visitor(server)
    path, back = on_the_way(page(stranger, query))
    assert (path, back) == ("/oauth2/authorize", query)
    assert on_the_way(stranger.get("/oauth2/authorize", params=query))[0] == "/login"


@pytest.mark.parametrize("state", ["disabled", "deleted"])
def test_page_of_an_app_that_is_gone_is_over(
    server: Server, app: App, signed_in: Visitor, state: str
) -> None:
    query, parts = asked(app, signed_in), server.capabilities
    now, client_id = parts.clock.now(), app.client.client_id
    if state == "disabled":
        parts.database.write(lambda db: clients.change(db, client_id, disabled_at=now))
    else:
        parts.database.write(lambda db: clients.delete(db, client_id))
    assert page(signed_in, query).status_code == 400
    assert decide(signed_in, query).status_code in (400, 403)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"client_id": "orders-web"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x"},
        {"client_id": "주문", "request_uri": '"\\'},
        {"client_id": "orders-web", "request_uri": "urn:ietf:params:oauth:request_uri:\0"},
        {"client_id": "x" * 3000, "request_uri": "x" * 3000},
    ],
    ids=lambda each: str(each)[:40],
)
def test_page_for_nothing_that_waits_is_the_callers_mistake(
    app: App, signed_in: Visitor, query: Query
) -> None:
    assert page(signed_in, query).status_code == 400
