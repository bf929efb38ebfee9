"""The UserInfo endpoint: who is told what, and who is told nothing."""

from typing import Any

import httpx2
import pytest

from authserver.accounts import store as accounts
from authserver.accounts.profile import Profile
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from authserver.clients.registration import TOKEN_EXCHANGE
from authserver.protocol.oauth import ACCESS_TOKEN_TYPE
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD
from tests.oauth.conftest import CALLBACK, VERIFIER, App, MakeApp
from tests.oauth.reading import claims
from tests.resource import prover
from tests.visitor import Visitor

USERINFO = "/oauth2/userinfo"
EVERYTHING = "openid profile email phone address roles groups offline_access orders:read"
CLAIMS: dict[str, Any] = {
    "given_name": "Alice",
    "family_name": "Kim",
    "email": "alice@example.com",
    "email_verified": True,
    "phone_number": "+8223123456",
    "address": {"locality": "Seoul", "country": "KR"},
    "updated_at": 1_700_000_000,
}


@pytest.fixture
def alice(server: Server, alice: Account) -> Account:
    """Alice, of whom something is known."""
    profile = Profile(CLAIMS, ("editors", "press"))
    server.capabilities.database.write(lambda db: accounts.set_profile(db, alice.id, profile))
    return alice


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in("alice", PASSWORD)
    return visitor


def tokens(app: App, visitor: Visitor, scope: str = "openid", **more: str) -> dict[str, Any]:
    answer = app.exchange(visitor, app.code(visitor, scope=scope, **more))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def asked(visitor: Visitor, token: str, **more: Any) -> httpx2.Response:
    return visitor.get(USERINFO, headers={"Authorization": f"Bearer {token}"}, **more)


def told(visitor: Visitor, token: str) -> dict[str, Any]:
    answer = asked(visitor, token)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def refused(answer: httpx2.Response, status: int, error: str | None) -> None:
    assert answer.status_code == status, answer.text
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert (f'error="{error}"' in challenge) if error else ("error" not in challenge)
    assert "alice" not in answer.text


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid email", {"email", "email_verified"}),
        ("openid phone", {"phone_number", "phone_number_verified"}),
        ("openid address", {"address"}),
        ("openid roles", {"roles"}),
        ("openid groups", {"groups"}),
        ("openid profile", {"name", "given_name", "family_name", "preferred_username", "updated_at"}),
        ("openid offline_access orders:read", set()),
    ],
)
@SQLITE_ONLY
def test_each_scope_tells_its_claims_and_no_others(
    make_app: MakeApp, signed_in: Visitor, alice: Account, scope: str, names: set[str]
) -> None:
    app = make_app(scope=EVERYTHING)
    assert set(told(signed_in, tokens(app, signed_in, scope)["access_token"])) == {"sub", *names}


def test_everything_that_is_known_is_told_as_it_is(
    make_app: MakeApp, signed_in: Visitor, alice: Account
) -> None:
    app = make_app(scope=EVERYTHING)
    assert told(signed_in, tokens(app, signed_in, EVERYTHING)["access_token"]) == {
        **CLAIMS,
        "sub": alice.id,
        "name": "Alice",
        "preferred_username": "alice",
        "phone_number_verified": False,
        "roles": ["staff", "user"],
        "groups": ["editors", "press"],
    }


@SQLITE_ONLY
def test_what_nobody_verified_is_called_unverified(
    server: Server, app: App, signed_in: Visitor, alice: Account
) -> None:
    profile = Profile({"email": "new@example.com"})
    server.capabilities.database.write(lambda db: accounts.set_profile(db, alice.id, profile))
    found = told(signed_in, tokens(app, signed_in, "openid email")["access_token"])
    assert found == {"sub": alice.id, "email": "new@example.com", "email_verified": False}


def test_sub_is_that_of_the_id_token(server: Server, app: App, signed_in: Visitor) -> None:
    given = tokens(app, signed_in)
    assert told(signed_in, given["access_token"])["sub"] == claims(server, given["id_token"])["sub"]


@SQLITE_ONLY
def test_refreshed_token_with_fewer_scopes_tells_less(make_app: MakeApp, signed_in: Visitor) -> None:
    app = make_app(scope=EVERYTHING)
    given = tokens(app, signed_in, "openid email phone")
    narrow = app.refresh(signed_in, given["refresh_token"], scope="openid phone").json()
    assert "email" not in told(signed_in, narrow["access_token"])


@SQLITE_ONLY
def test_token_may_come_in_the_header_of_a_post_or_in_its_form(app: App, signed_in: Visitor) -> None:
    token = tokens(app, signed_in)["access_token"]
    in_header = {"Authorization": f"bEARER {token}"}
    for answer in (
        signed_in.post(USERINFO, headers=in_header),
        signed_in.post(USERINFO, headers=in_header, data={"other": "field"}),
        signed_in.post(USERINFO, headers=in_header, json={}),
        signed_in.post(USERINFO, data={"access_token": token}),
        signed_in.get(USERINFO, headers=in_header),
    ):
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text


@SQLITE_ONLY
def test_token_in_the_query_counts_for_nothing(app: App, signed_in: Visitor) -> None:
    token = tokens(app, signed_in)["access_token"]
    refused(signed_in.get(USERINFO, params={"access_token": token}), 401, None)
    refused(signed_in.post(USERINFO, params={"access_token": token}), 401, None)
    answer = signed_in.post(USERINFO, params={"access_token": token}, data={"access_token": token})
    assert answer.status_code == 400


@SQLITE_ONLY
def test_token_in_the_token_cookie_counts_for_nothing(signed_in: Visitor) -> None:
    """Else every page that may call this endpoint without a cookie could call it with one."""
    assert signed_in.cookie("__Host-access_token")
    refused(signed_in.get(USERINFO), 401, None)


@SQLITE_ONLY
def test_token_in_two_places_is_refused(app: App, signed_in: Visitor) -> None:
    token = tokens(app, signed_in)["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    refused(signed_in.post(USERINFO, headers=headers, data={"access_token": token}), 400, "invalid_request")
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    refused(signed_in.get(USERINFO, headers=twice), 401, "invalid_token")


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic YWxpY2U6eA==", "Bearer " + "A" * 9_000]
)
@SQLITE_ONLY
def test_what_is_no_token_is_refused(visitor: Visitor, value: str) -> None:
    refused(visitor.get(USERINFO, headers={"Authorization": value}), 401, "invalid_token")


@SQLITE_ONLY
def test_token_without_openid_is_refused_with_the_scope_that_it_needs(
    make_app: MakeApp, signed_in: Visitor
) -> None:
    app = make_app(scope=EVERYTHING, audiences=(ISSUER,))
    answer = asked(signed_in, tokens(app, signed_in, "email orders:read")["access_token"])
    refused(answer, 403, "insufficient_scope")
    assert 'scope="openid"' in answer.headers["www-authenticate"]


@SQLITE_ONLY
def test_token_for_another_audience_is_refused(make_app: MakeApp, signed_in: Visitor) -> None:
    app = make_app(scope=EVERYTHING, audiences=("https://api.example.com",))
    refused(asked(signed_in, tokens(app, signed_in, "orders:read")["access_token"]), 401, "invalid_token")


@SQLITE_ONLY
def test_clients_own_token_is_nobodys(make_app: MakeApp, visitor: Visitor) -> None:
    app = make_app(audiences=(ISSUER,))
    token = app.token(visitor, grant_type="client_credentials").json()["access_token"]
    refused(asked(visitor, token), 403, "insufficient_scope")


@SQLITE_ONLY
def test_id_token_opens_nothing(app: App, signed_in: Visitor) -> None:
    refused(asked(signed_in, tokens(app, signed_in)["id_token"]), 401, "invalid_token")


@SQLITE_ONLY
def test_expired_token_is_refused(app: App, signed_in: Visitor, server: Server, clock: HandClock) -> None:
    token = tokens(app, signed_in)["access_token"]
    clock.advance(7_200)
    server.follow()
    refused(asked(signed_in, token), 401, "invalid_token")


def test_ended_authorization_tells_nothing_before_anybody_heard_of_it(app: App, signed_in: Visitor) -> None:
    given = tokens(app, signed_in)
    signed_in.post("/oauth2/revoke", data={"token": given["refresh_token"]}, auth=app.auth)
    refused(asked(signed_in, given["access_token"]), 401, "invalid_token")


def test_disabled_account_tells_nothing_before_anybody_heard_of_it(
    server: Server, app: App, signed_in: Visitor, alice: Account
) -> None:
    token, parts = tokens(app, signed_in)["access_token"], server.capabilities
    parts.database.write(lambda db: parts.consequences.disable(db, alice, parts.clock.now()))
    refused(asked(signed_in, token), 401, "invalid_token")


def test_disabled_client_is_told_nothing_before_anybody_heard_of_it(
    server: Server, app: App, signed_in: Visitor
) -> None:
    token, parts = tokens(app, signed_in)["access_token"], server.capabilities
    now = parts.clock.now()
    parts.database.write(lambda db: clients.change(db, app.client.client_id, disabled_at=now))
    refused(asked(signed_in, token), 401, "invalid_token")


@SQLITE_ONLY
def test_signed_out_session_tells_nothing(server: Server, app: App, signed_in: Visitor) -> None:
    token = tokens(app, signed_in)["access_token"]
    signed_in.post("/logout", json={}, headers={"Origin": ISSUER})
    server.follow()
    refused(asked(signed_in, token), 401, "invalid_token")


def test_client_that_registered_it_gets_a_signed_answer(
    server: Server, make_app: MakeApp, signed_in: Visitor, alice: Account
) -> None:
    app = make_app(userinfo_signed_response_alg="ES256")
    answer = asked(signed_in, tokens(app, signed_in, "openid email")["access_token"])
    assert answer.headers["content-type"] == "application/jwt"
    read = claims(server, answer.text)
    assert (read["iss"], read["aud"]) == (ISSUER, app.client.client_id)
    assert (read["sub"], read["email"]) == (alice.id, "alice@example.com")


@SQLITE_ONLY
def test_signed_answer_is_no_hint_who_is_meant(make_app: MakeApp, signed_in: Visitor) -> None:
    app = make_app(userinfo_signed_response_alg="ES256")
    signed = asked(signed_in, tokens(app, signed_in)["access_token"]).text
    answer = app.authorize(signed_in, id_token_hint=signed)
    assert "error=invalid_request" in answer.headers["location"]


@SQLITE_ONLY
def test_algorithm_without_a_key_is_503(make_app: MakeApp, signed_in: Visitor) -> None:
    app = make_app(userinfo_signed_response_alg="PS256")
    answer = asked(signed_in, tokens(app, signed_in)["access_token"])
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


@SQLITE_ONLY
def test_token_that_a_service_exchanged_is_not_for_it(
    make_app: MakeApp, app: App, signed_in: Visitor
) -> None:
    service = make_app(
        client_id="orders-service",
        redirect_uris=(),
        grant_types=(TOKEN_EXCHANGE,),
        scope="openid email",
        audiences=(ISSUER,),
    )
    exchanged = service.token(
        signed_in,
        grant_type=TOKEN_EXCHANGE,
        subject_token=tokens(app, signed_in)["access_token"],
        subject_token_type=ACCESS_TOKEN_TYPE,
    )
    assert exchanged.status_code == 200, exchanged.text
    refused(asked(signed_in, exchanged.json()["access_token"]), 401, "invalid_token")


def bound(app: App, visitor: Visitor, clock: HandClock) -> str:
    """An access token that is bound to a key."""
    proof = prover.proof("POST", f"{ISSUER}/oauth2/token", clock.now().timestamp())
    fields = {"grant_type": "authorization_code", "code": app.code(visitor), "redirect_uri": CALLBACK}
    data = {**fields, "code_verifier": VERIFIER}
    answer = visitor.post("/oauth2/token", data=data, auth=app.auth, headers={"DPoP": proof})
    assert answer.json()["token_type"] == "DPoP"
    return str(answer.json()["access_token"])


def test_bound_token_opens_with_a_proof_by_its_key_each_good_once(
    app: App, signed_in: Visitor, clock: HandClock
) -> None:
    token, uri, now = bound(app, signed_in, clock), ISSUER + USERINFO, clock.now().timestamp()
    for method in ("GET", "POST"):
        proof = prover.proof(method, uri, now, token=token)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        assert signed_in.request(method, USERINFO, headers=headers).status_code == 200
        again = signed_in.request(method, USERINFO, headers=headers)
        assert again.status_code == 401
        assert again.headers["www-authenticate"].startswith("DPoP ")
        assert 'error="invalid_dpop_proof"' in again.headers["www-authenticate"]


@SQLITE_ONLY
def test_bound_token_without_its_proof_is_worth_nothing(
    app: App, signed_in: Visitor, clock: HandClock
) -> None:
    token, uri, now = bound(app, signed_in, clock), ISSUER + USERINFO, clock.now().timestamp()
    refused(asked(signed_in, token), 401, "invalid_token")
    refused(signed_in.post(USERINFO, data={"access_token": token}), 401, "invalid_token")
    for wrong in (
        None,
        prover.proof("GET", uri, now),
        prover.proof("GET", uri, now, token="another"),
        prover.proof("POST", uri, now, token=token),
        prover.proof("GET", f"{ISSUER}/oauth2/token", now, token=token),
        prover.proof("GET", uri, now - 120, token=token),
        prover.proof("GET", uri, now, token=token, key=prover.OTHER_KEY),
    ):
        headers = {"Authorization": f"DPoP {token}", **({"DPoP": wrong} if wrong else {})}
        assert signed_in.get(USERINFO, headers=headers).status_code == 401, wrong


@SQLITE_ONLY
def test_bearer_token_gains_nothing_by_a_proof(app: App, signed_in: Visitor, clock: HandClock) -> None:
    token = tokens(app, signed_in)["access_token"]
    proof = prover.proof("GET", ISSUER + USERINFO, clock.now().timestamp(), token=token)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert signed_in.get(USERINFO, headers=headers).status_code == 401


@SQLITE_ONLY
def test_discovery_says_where_and_what(visitor: Visitor) -> None:
    said = visitor.get("/.well-known/openid-configuration").json()
    assert said["userinfo_endpoint"] == ISSUER + USERINFO
    assert said["userinfo_signing_alg_values_supported"] == ["ES256"]
    assert {"openid", "profile", "email", "phone", "address", "roles", "groups"} < set(
        said["scopes_supported"]
    )
    assert {"sub", "email", "email_verified", "address", "groups"} < set(said["claims_supported"])
    assert said["claims_parameter_supported"] is True
    assert said["subject_types_supported"] == ["public", "pairwise"]


@pytest.mark.parametrize("path", [USERINFO, "/oauth2/token", "/oauth2/revoke"])
@SQLITE_ONLY
def test_any_page_may_ask_without_cookies(visitor: Visitor, path: str) -> None:
    origin = {"Origin": "https://spa.example"}
    preflight = visitor.request(
        "OPTIONS",
        path,
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type, dpop",
        },
    )
    assert preflight.status_code == 200
    for answer in (preflight, visitor.post(path, data={}, headers=origin)):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    assert (
        "WWW-Authenticate"
        in visitor.post(path, data={}, headers=origin).headers["access-control-expose-headers"]
    )


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/introspect", "/consent", "/account"])
@SQLITE_ONLY
def test_no_page_of_a_stranger_may_ask_where_cookies_count(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path, headers={"Origin": "https://spa.example"})
    assert "access-control-allow-origin" not in answer.headers
