"""The `claims` parameter: what it gets an app, what it cannot get, and what hostile ones come to."""

import json
from typing import Any

import pytest

from authserver.accounts import store as accounts
from authserver.accounts.profile import Profile
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.authorizations import claims_request
from authserver.authorizations.claims_request import BadClaims, ClaimsRequest
from tests.attacks.marks import SQLITE_ONLY
from tests.conftest import PASSWORD, add_account
from tests.oauth.conftest import App, MakeApp, on_the_way, returned
from tests.oauth.reading import claims, error
from tests.visitor import Visitor

SCOPES = "openid profile email"
BOTH = {"userinfo": {"nickname": None}, "id_token": {"email": {"essential": True}}}


@pytest.fixture
def alice(server: Server, alice: Account) -> Account:
    known = Profile({"email": "alice@example.com", "nickname": "Al"})
    server.capabilities.database.write(lambda db: accounts.set_profile(db, alice.id, known))
    return alice


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in("alice", PASSWORD)
    return visitor


@pytest.fixture
def asking(make_app: MakeApp) -> App:
    """An app that has to ask its person."""
    return make_app(first_party=False)


def told(visitor: Visitor, tokens: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return dict(visitor.get("/oauth2/userinfo", headers=headers).json())


def got(app: App, visitor: Visitor, asked: object, **more: str) -> dict[str, Any]:
    answer = app.exchange(visitor, app.code(visitor, claims=json.dumps(asked), **more))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_claims_come_where_they_were_asked_for(server: Server, app: App, signed_in: Visitor) -> None:
    tokens = got(app, signed_in, BOTH)
    assert told(signed_in, tokens).get("nickname") == "Al"
    assert "email" not in told(signed_in, tokens)
    id_token = claims(server, tokens["id_token"])
    assert (id_token["email"], id_token["email"] in str(claims(server, tokens["access_token"]))) == (
        "alice@example.com",
        False,
    )
    assert "nickname" not in id_token


def test_refresh_goes_on_as_it_was_asked(server: Server, app: App, signed_in: Visitor) -> None:
    again = app.refresh(signed_in, got(app, signed_in, BOTH)["refresh_token"]).json()
    assert claims(server, again["id_token"])["email"] == "alice@example.com"
    assert told(signed_in, again)["nickname"] == "Al"


@SQLITE_ONLY
def test_without_the_parameter_an_id_token_tells_nothing_of_the_profile(
    server: Server, app: App, signed_in: Visitor
) -> None:
    tokens = app.exchange(signed_in, app.code(signed_in, scope=SCOPES)).json()
    assert not {"email", "name", "nickname"} & claims(server, tokens["id_token"]).keys()


@SQLITE_ONLY
def test_nothing_of_the_tokens_own_gives_way(server: Server, app: App, signed_in: Visitor) -> None:
    asked = {"id_token": dict.fromkeys(("iss", "aud", "exp", "sub", "sid", "nonce", "updated_at"))}
    id_token = claims(server, got(app, signed_in, asked)["id_token"])
    assert (id_token["aud"], id_token["nonce"]) == ("orders-web", "n-0S6_WzA2Mj")


@SQLITE_ONLY
def test_pushed_claims_count(server: Server, app: App, signed_in: Visitor) -> None:
    pushed = signed_in.post("/oauth2/par", data=app.request(claims=json.dumps(BOTH)), auth=app.auth).json()
    query = {"client_id": app.client.client_id, "request_uri": pushed["request_uri"]}
    code = returned(signed_in.get("/oauth2/authorize", params=query))["code"]
    assert claims(server, app.exchange(signed_in, code).json()["id_token"])["email"] == "alice@example.com"


@SQLITE_ONLY
def test_claim_of_a_scope_that_is_not_registered_is_not_told(
    server: Server, make_app: MakeApp, signed_in: Visitor
) -> None:
    app = make_app(scope="openid profile")
    tokens = got(app, signed_in, {"id_token": {"email": None}, "userinfo": {"email": None}}, scope="openid")
    assert "email" not in told(signed_in, tokens)
    assert "email" not in claims(server, tokens["id_token"])


def test_claim_needs_the_persons_consent_as_its_scope_would(asking: App, signed_in: Visitor) -> None:
    path, query = on_the_way(asking.authorize(signed_in, claims=json.dumps(BOTH), scope="openid"))
    assert path == "/consent"
    page = signed_in.get("/consent", params=query, headers={"Accept": "text/html"}).text
    assert "See your e-mail address" in page
    assert "See your name and your profile" in page
    fields = {**query, "decision": "allow"}
    answer = signed_in.form(f"/consent?{'&'.join(f'{k}={v}' for k, v in query.items())}", "/consent", fields)
    code = returned(signed_in.get(answer.headers["location"]))["code"]
    assert told(signed_in, asking.exchange(signed_in, code).json())["nickname"] == "Al"
    assert "code" in returned(asking.authorize(signed_in, claims=json.dumps(BOTH), scope="openid"))


@SQLITE_ONLY
def test_claims_are_never_allowed_in_silence(asking: App, signed_in: Visitor) -> None:
    _, query = on_the_way(asking.authorize(signed_in, scope="openid"))
    page = f"/consent?{'&'.join(f'{k}={v}' for k, v in query.items())}"
    signed_in.form(page, "/consent", {**query, "decision": "allow"})
    assert "code" in returned(asking.authorize(signed_in, scope="openid", prompt="none"))
    silent = asking.authorize(signed_in, scope="openid", prompt="none", claims=json.dumps(BOTH))
    assert returned(silent)["error"] == "consent_required"


@SQLITE_ONLY
def test_sub_with_a_value_asks_for_this_very_person(
    server: Server, app: App, signed_in: Visitor, alice: Account
) -> None:
    bob = add_account(server, "bob")
    for part in ("id_token", "userinfo"):
        own, others = ({part: {"sub": {"value": one.id}}} for one in (alice, bob))
        assert "code" in returned(app.authorize(signed_in, claims=json.dumps(own), prompt="none"))
        answer = returned(app.authorize(signed_in, claims=json.dumps(others), prompt="none"))
        assert answer["error"] == "login_required"
        assert on_the_way(app.authorize(signed_in, claims=json.dumps(others)))[0] == "/login"


@SQLITE_ONLY
def test_hint_and_claims_that_name_two_people_are_refused(
    server: Server, app: App, signed_in: Visitor
) -> None:
    hint = app.exchange(signed_in, app.code(signed_in)).json()["id_token"]
    asked = json.dumps({"id_token": {"sub": {"value": add_account(server, "bob").id}}})
    answer = returned(app.authorize(signed_in, id_token_hint=hint, claims=asked))
    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("acr", "error_code"),
    [
        (None, None),
        ({"essential": True}, None),
        ({"essential": True, "value": "1"}, None),
        ({"essential": True, "values": ["phr", "1"]}, None),
        ({"values": ["phr"]}, None),
        ({"essential": False, "value": "phr"}, None),
        ({"essential": True, "value": "phr"}, "unmet_authentication_requirements"),
        ({"essential": True, "values": ["phr", "phrh"]}, "unmet_authentication_requirements"),
    ],
)
@SQLITE_ONLY
def test_essential_acr_is_had_or_the_request_fails(
    server: Server, app: App, signed_in: Visitor, acr: object, error_code: str | None
) -> None:
    asked = json.dumps({"id_token": {"acr": acr, "auth_time": {"essential": True}}})
    answer = returned(app.authorize(signed_in, claims=asked))
    assert answer.get("error") == error_code
    if error_code is None:
        id_token = claims(server, app.exchange(signed_in, answer["code"]).json()["id_token"])
        assert {"acr", "auth_time"} <= id_token.keys()


@SQLITE_ONLY
def test_hints_never_cause_errors(app: App, signed_in: Visitor) -> None:
    for hints in (
        {"acr_values": "phr phrh urn:x"},
        {"display": "popup"},
        {"display": "hologram"},
        {"ui_locales": "tlh-Klon x-\u00e9 ko"},
        {"claims_locales": "ko en"},
        {"login_hint": "nobody@example.com"},
        {"claims": '{"userinfo":{"name#ko":null,"http://example.com/x":{"essential":true}},"other":[5]}'},
        {"claims": "{}"},
        {"claims": '{"userinfo":null}'},
    ):
        assert "code" in returned(app.authorize(signed_in, **hints)), hints


DEEP = 10_000
HOSTILE = {
    "no JSON": "email",
    "an array": "[]",
    "a number": "5",
    "a string": '"email"',
    "null": "null",
    "a list of parts": '{"userinfo":["email"]}',
    "a number for a part": '{"id_token":5}',
    "a number for a claim": '{"userinfo":{"email":5}}',
    "a list for a claim": '{"userinfo":{"email":[]}}',
    "a member twice": '{"userinfo":{},"userinfo":{"email":null}}',
    "two objects": "{}{}",
    "NaN": '{"userinfo":{"email":{"value":NaN}}}',
    "a large number": '{"userinfo":{"email":{"value":1e999}}}',
    "half a character": '{"userinfo":{"\\ud800":null}}',
    "sub is a number": '{"id_token":{"sub":{"value":5}}}',
    "sub is a list": '{"id_token":{"sub":{"value":["a"]}}}',
    "sub is empty": '{"id_token":{"sub":{"value":""}}}',
    "sub is long": json.dumps({"id_token": {"sub": {"value": "a" * 256}}}),
    "two people": '{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}',
    "acr values are a text": '{"id_token":{"acr":{"essential":true,"values":"1"}}}',
    "acr values are numbers": '{"id_token":{"acr":{"essential":true,"values":[1]}}}',
    "too many acr values": json.dumps({"id_token": {"acr": {"essential": True, "values": ["1"] * 21}}}),
    "deep": '{"userinfo":' * 1_200,
    "deep and closed": '{"a":' * 20 + "1" + "}" * 20,
    "long": '{"userinfo":{"' + "a" * 5_000 + '":null}}',
}


@pytest.mark.parametrize("claims", HOSTILE.values(), ids=HOSTILE)
@SQLITE_ONLY
def test_hostile_claims_are_refused_where_they_came_from(app: App, signed_in: Visitor, claims: str) -> None:
    """A query has an end (8 KiB, 414); whatever fits is answered to the app, and pushed to the same effect."""
    answer = app.authorize(signed_in, claims=claims)
    assert answer.status_code == 414 or returned(answer)["error"] == "invalid_request"
    pushed = signed_in.post("/oauth2/par", data=app.request(claims=claims), auth=app.auth)
    assert pushed.status_code == 413 or error(pushed) == "invalid_request"


@pytest.mark.parametrize("claims", ["[" * DEEP, '{"a":' * DEEP, "a" * 1_000_000, "9" * 500_000])
@SQLITE_ONLY
def test_megabytes_of_claims_are_refused_before_they_are_read(
    app: App, signed_in: Visitor, claims: str
) -> None:
    assert app.authorize(signed_in, claims=claims[:15_000]).status_code == 414
    assert signed_in.post("/oauth2/par", data=app.request(claims=claims), auth=app.auth).status_code == 413
    assert signed_in.post("/oauth2/authorize", data=app.request(claims=claims)).status_code == 413


@pytest.mark.parametrize("hostile", ["[" * DEEP, '{"a":' * DEEP, "a" * 1_000_000, "9" * 500_000, "{\ud800}"])
def test_parser_alone_refuses_them_too(hostile: str) -> None:
    with pytest.raises(BadClaims):
        claims_request.read(hostile, ("openid",), ("openid",))


@SQLITE_ONLY
def test_hostile_claims_that_wait_break_no_consent_page(asking: App, signed_in: Visitor) -> None:
    """A POST is set aside unread; its consent page may be opened before the request was ever looked at."""
    answer = signed_in.post("/oauth2/authorize", data=asking.request(claims='{"userinfo":5}'))
    _, query = on_the_way(answer)
    page = signed_in.get("/consent", params=query, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert returned(signed_in.get("/oauth2/authorize", params=query))["error"] == "invalid_request"


def test_parameter_without_openid_asks_for_nothing() -> None:
    read = claims_request.read(json.dumps(BOTH), ("orders:read",), SCOPES.split())
    assert read == ClaimsRequest()


def test_what_is_stored_is_what_is_known() -> None:
    asked = {"userinfo": {"email": None, "sub": None, "shoe_size": None}, "id_token": {"acr": None}}
    read = claims_request.read(json.dumps(asked), ("openid",), SCOPES.split())
    assert read.to_store() == {"userinfo": ["email"]}
    assert read.scopes == {"email"}
