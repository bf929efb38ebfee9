"""Token exchange: a service gets a narrower token for the next service, and nothing else (SECURITY O90, RFC 8693)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from authserver.accounts import store as accounts
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from authserver.clients.registration import TOKEN_EXCHANGE
from authserver.keyring.signer import Signer
from authserver.protocol.cookies import TOKEN_HOST_ONLY
from authserver.protocol.media import ACCESS_TOKEN_TYP
from authserver.protocol.oauth import ACCESS_TOKEN_TYPE
from authserver.revocations.clients import end_tokens
from tests.cli.conftest import on_sqlite
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD
from tests.oauth.conftest import App, MakeApp
from tests.oauth.reading import claims, error
from tests.oauth.waiting import later
from tests.visitor import Visitor

ORDERS, STOCK, MAIL = "https://orders.example", "https://stock.example", "https://mail.example"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"


@pytest.fixture
def shop(make_app: MakeApp) -> App:
    """The app that people sign in to; its tokens are for the orders service."""
    return make_app(audiences=(ORDERS,))


@pytest.fixture
def make_service(make_app: MakeApp) -> MakeApp:
    def make(client_id: str = "orders-service", **chosen: Any) -> App:
        usual = {
            "client_name": client_id,
            "redirect_uris": (),
            "grant_types": (TOKEN_EXCHANGE, "client_credentials"),
            "scope": "orders:read stock:read",
            "audiences": (ORDERS, STOCK, MAIL),
        }
        return make_app(client_id=client_id, **{**usual, **chosen})

    return make


@pytest.fixture
def service(make_service: MakeApp) -> App:
    """The orders service, which calls the stock service."""
    return make_service()


@pytest.fixture
def token(shop: App, alice: Account, visitor: Visitor) -> str:
    """What alice's browser sends to the orders service."""
    visitor.sign_in(alice.username, PASSWORD)
    return access_token(shop, visitor)


def access_token(app: App, visitor: Visitor, scope: str = "orders:read orders:write") -> str:
    return str(app.exchange(visitor, app.code(visitor, scope=scope)).json()["access_token"])


def trade(app: App, visitor: Visitor, token: str, **fields: Any) -> httpx2.Response:
    usual = {"subject_token": token, "subject_token_type": ACCESS_TOKEN_TYPE}
    return app.token(visitor, grant_type=TOKEN_EXCHANGE, **{**usual, **fields})


def traded(app: App, visitor: Visitor, token: str, **fields: Any) -> str:
    answer = trade(app, visitor, token, **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_service_gets_a_narrower_token_for_the_next_service(
    server: Server, service: App, visitor: Visitor, token: str, alice: Account
) -> None:
    answer = trade(service, visitor, token, audience=STOCK)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert (body["issued_token_type"], body["token_type"]) == (ACCESS_TOKEN_TYPE, "Bearer")
    old, new = claims(server, token), claims(server, body["access_token"])
    assert (new["aud"], new["scope"], new["client_id"]) == (STOCK, "orders:read", "orders-service")
    assert new["sub"] == alice.id
    assert {name: new[name] for name in ("sid", "grant_id", "auth_time", "acr", "amr", "roles")} == {
        name: old[name] for name in ("sid", "grant_id", "auth_time", "acr", "amr", "roles")
    }
    assert new["act"] == {"sub": "orders-service"}
    assert new["jti"] != old["jti"]


@on_sqlite
def test_scope_is_what_both_the_token_and_the_client_may(
    server: Server, service: App, visitor: Visitor, token: str
) -> None:
    assert claims(server, traded(service, visitor, token))["scope"] == "orders:read"
    assert error(trade(service, visitor, token, scope="stock:read")) == "invalid_scope"
    assert error(trade(service, visitor, token, scope="orders:write")) == "invalid_scope"
    assert error(trade(service, visitor, token, scope="orders:read orders:write")) == "invalid_scope"


@on_sqlite
def test_audience_is_one_that_the_client_registered(
    server: Server, service: App, visitor: Visitor, token: str
) -> None:
    assert claims(server, traded(service, visitor, token))["aud"] == [ORDERS, STOCK, MAIL]
    assert claims(server, traded(service, visitor, token, resource=STOCK))["aud"] == STOCK
    both = traded(service, visitor, token, resource=STOCK, audience=[MAIL, STOCK])
    assert claims(server, both)["aud"] == [STOCK, MAIL]
    for name in ("audience", "resource"):
        for target in (ISSUER, "https://evil.example", STOCK.upper(), "orders-service"):
            assert error(trade(service, visitor, token, **{name: target})) == "invalid_target"
    assert error(trade(service, visitor, token, audience=[STOCK, ISSUER])) == "invalid_target"


@on_sqlite
def test_new_token_does_not_outlive_the_old_one(
    server: Server, service: App, visitor: Visitor, token: str, clock: HandClock
) -> None:
    ends = claims(server, token)["exp"]
    later(server, clock, timedelta(minutes=50))
    answer = trade(service, visitor, token).json()
    assert answer["expires_in"] == 600
    assert claims(server, answer["access_token"])["exp"] == ends


@on_sqlite
def test_own_shorter_lifetime_of_a_client_counts(make_service: MakeApp, visitor: Visitor, token: str) -> None:
    hasty = make_service(access_token_lifetime=60)
    assert trade(hasty, visitor, token).json()["expires_in"] == 60


@on_sqlite
def test_token_that_has_expired_buys_nothing_within_any_leeway(
    server: Server, service: App, visitor: Visitor, token: str, clock: HandClock
) -> None:
    later(server, clock, timedelta(hours=1))
    assert error(trade(service, visitor, token)) == "invalid_request"


@on_sqlite
def test_exchanging_again_and_again_never_gains_a_second(
    server: Server, service: App, visitor: Visitor, token: str, clock: HandClock
) -> None:
    ends = claims(server, token)["exp"]
    for _ in range(5):
        token = traded(service, visitor, token)
        assert claims(server, token)["exp"] == ends
        assert claims(server, token)["act"] == {"sub": "orders-service"}
        later(server, clock, timedelta(minutes=11))
    later(server, clock, timedelta(minutes=5))
    assert error(trade(service, visitor, token)) == "invalid_request"


@on_sqlite
def test_chain_names_everybody_who_acts_and_has_an_end(
    server: Server, make_service: MakeApp, visitor: Visitor, token: str
) -> None:
    services = [make_service(f"service-{number}") for number in range(5)]
    for service in services[:4]:
        token = traded(service, visitor, token)
    assert claims(server, token)["act"] == {
        "sub": "service-3",
        "act": {"sub": "service-2", "act": {"sub": "service-1", "act": {"sub": "service-0"}}},
    }
    assert error(trade(services[4], visitor, token)) == "invalid_request"
    assert trade(services[3], visitor, token).status_code == 200


@on_sqlite
def test_token_that_is_for_others_cannot_be_handed_in(
    make_service: MakeApp, visitor: Visitor, token: str
) -> None:
    stranger = make_service("mail-service", audiences=(MAIL,))
    assert error(trade(stranger, visitor, token)) == "invalid_request"


@on_sqlite
def test_client_may_narrow_a_token_of_its_own(server: Server, service: App, visitor: Visitor) -> None:
    own = service.token(visitor, grant_type="client_credentials").json()["access_token"]
    narrow = claims(server, traded(service, visitor, own, audience=STOCK, scope="stock:read"))
    assert (narrow["sub"], narrow["aud"], narrow["scope"]) == ("orders-service", STOCK, "stock:read")
    assert "act" not in narrow


@on_sqlite
def test_client_without_audiences_stays_with_those_of_the_token(
    server: Server, make_service: MakeApp, visitor: Visitor
) -> None:
    plain = make_service(audiences=())
    own = plain.token(visitor, grant_type="client_credentials").json()["access_token"]
    assert claims(server, traded(plain, visitor, own))["aud"] == ISSUER
    assert error(trade(plain, visitor, own, audience=STOCK)) == "invalid_target"


@on_sqlite
def test_id_token_is_no_subject(shop: App, service: App, visitor: Visitor, token: str) -> None:
    id_token = shop.exchange(visitor, shop.code(visitor)).json()["id_token"]
    assert error(trade(service, visitor, id_token)) == "invalid_request"
    assert error(trade(service, visitor, id_token, subject_token_type=ID_TOKEN_TYPE)) == "invalid_request"
    assert error(trade(service, visitor, token, subject_token_type=ID_TOKEN_TYPE)) == "invalid_request"


@on_sqlite
def test_nobody_acts_but_the_client_itself(service: App, visitor: Visitor, token: str) -> None:
    spoofed = {"actor_token": token, "actor_token_type": ACCESS_TOKEN_TYPE}
    answer = trade(service, visitor, token, **spoofed)
    assert error(answer) == "invalid_request"
    assert "actor_token" in answer.json()["error_description"]
    assert error(trade(service, visitor, token, actor_token_type=ACCESS_TOKEN_TYPE)) == "invalid_request"


@pytest.mark.parametrize("kind", ["refresh_token", "id_token", "jwt", "saml2"])
@on_sqlite
def test_nothing_but_an_access_token_is_given(service: App, visitor: Visitor, token: str, kind: str) -> None:
    wanted = ACCESS_TOKEN_TYPE.replace("access_token", kind)
    assert error(trade(service, visitor, token, requested_token_type=wanted)) == "invalid_request"
    same = trade(service, visitor, token, requested_token_type=ACCESS_TOKEN_TYPE)
    assert same.status_code == 200


@on_sqlite
def test_what_is_required_is_missed(service: App, visitor: Visitor, token: str) -> None:
    assert error(trade(service, visitor, token, subject_token=None)) == "invalid_request"
    assert error(trade(service, visitor, token, subject_token_type=None)) == "invalid_request"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "토큰", "e30.e30.", '"', "é" * 2000])
@on_sqlite
def test_what_is_no_token_is_refused(service: App, visitor: Visitor, token: str) -> None:
    assert error(trade(service, visitor, token)) == "invalid_request"


@on_sqlite
def test_refresh_token_is_no_subject(shop: App, service: App, visitor: Visitor, token: str) -> None:
    refresh = shop.exchange(visitor, shop.code(visitor)).json()["refresh_token"]
    assert error(trade(service, visitor, refresh)) == "invalid_request"


@on_sqlite
def test_client_that_is_not_registered_for_it_may_not(shop: App, visitor: Visitor, token: str) -> None:
    assert error(trade(shop, visitor, token)) == "unauthorized_client"


@on_sqlite
def test_client_without_a_secret_may_not_even_if_the_table_says_so(
    make_service: MakeApp, visitor: Visitor, token: str
) -> None:
    public = make_service(token_endpoint_auth_method="none")
    assert error(trade(public, visitor, token)) == "unauthorized_client"


def forged(server: Server, token: str, **other: Any) -> str:
    """A token that we signed, with other claims."""
    signer: Signer = server.keyring.signer("ES256")
    return signer.sign(ACCESS_TOKEN_TYP, {**claims(server, token), **other})


@on_sqlite
def test_token_that_is_bound_to_a_key_cannot_be_handed_in(
    server: Server, service: App, visitor: Visitor, token: str
) -> None:
    bound = forged(server, token, cnf={"jkt": "x" * 43})
    assert trade(service, visitor, forged(server, token)).status_code == 200
    assert error(trade(service, visitor, bound)) == "invalid_request"


@on_sqlite
def test_status_of_the_session_goes_along(server: Server, service: App, visitor: Visitor, token: str) -> None:
    status = {"status_list": {"idx": 7, "uri": f"{ISSUER}/status-lists/1"}}
    new = traded(service, visitor, forged(server, token, status=status))
    assert claims(server, new)["status"] == status


def signed_out(server: Server, shop: App, visitor: Visitor, alice: Account) -> None:
    visitor.post("/logout", json={})


def signed_out_everywhere(server: Server, shop: App, visitor: Visitor, alice: Account) -> None:
    visitor.post("/logout", json={"everywhere": True})


def disabled_account(server: Server, shop: App, visitor: Visitor, alice: Account) -> None:
    now = server.capabilities.clock.now()
    server.capabilities.database.write(lambda db: accounts.change(db, alice.id, disabled_at=now))


def disabled_client(server: Server, shop: App, visitor: Visitor, alice: Account) -> None:
    now = server.capabilities.clock.now()
    server.capabilities.database.write(lambda db: clients.change(db, "orders-web", disabled_at=now))


def ended_client(server: Server, shop: App, visitor: Visitor, alice: Account) -> None:
    parts, hour = server.capabilities, timedelta(hours=1)
    parts.database.write(lambda db: end_tokens(db, shop.client, parts.clock.now(), hour))


def deleted_client(server: Server, shop: App, visitor: Visitor, alice: Account) -> None:
    server.capabilities.database.write(lambda db: clients.delete(db, "orders-web"))


Ending = Callable[[Server, App, Visitor, Account], None]
ENDINGS = [
    signed_out,
    signed_out_everywhere,
    disabled_account,
    disabled_client,
    ended_client,
    deleted_client,
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_token_that_was_ended_buys_nothing_though_no_server_has_heard_of_it(
    server: Server, shop: App, service: App, visitor: Visitor, alice: Account, token: str, ending: Ending
) -> None:
    """The list in memory is read twice a second, and not here: the new token's `iat` would be behind the cut-off."""
    assert trade(service, visitor, token).status_code == 200
    ending(server, shop, visitor, alice)
    assert error(trade(service, visitor, token)) == "invalid_request"


@on_sqlite
def test_token_that_was_revoked_by_itself_buys_nothing(
    server: Server, shop: App, service: App, visitor: Visitor, token: str
) -> None:
    visitor.post("/oauth2/revoke", data={"token": token}, auth=shop.auth)
    server.follow()
    assert error(trade(service, visitor, token)) == "invalid_request"


@on_sqlite
def test_sign_out_ends_the_exchanged_token_as_well(
    server: Server, service: App, visitor: Visitor, token: str
) -> None:
    new = traded(service, visitor, token)
    introspect = {"data": {"token": new}, "auth": service.auth}
    assert visitor.post("/oauth2/introspect", **introspect).json()["active"]
    visitor.post("/logout", json={})
    server.follow()
    assert visitor.post("/oauth2/introspect", **introspect).json() == {"active": False}


def test_token_cookie_can_be_exchanged_while_its_session_lives(
    server: Server, make_service: MakeApp, visitor: Visitor, alice: Account
) -> None:
    service = make_service(audiences=(ISSUER, STOCK))
    visitor.sign_in(alice.username, PASSWORD)
    cookie = str(visitor.cookie(TOKEN_HOST_ONLY))
    new = claims(server, traded(service, visitor, cookie, audience=STOCK))
    assert (new["sub"], new["sid"]) == (alice.id, claims(server, cookie)["sid"])
    visitor.post("/logout", json={})
    assert error(trade(service, visitor, cookie)) == "invalid_request"


@on_sqlite
def test_token_cookie_of_a_disabled_account_buys_nothing(
    server: Server, shop: App, make_service: MakeApp, visitor: Visitor, alice: Account
) -> None:
    service = make_service(audiences=(ISSUER, STOCK))
    visitor.sign_in(alice.username, PASSWORD)
    cookie = str(visitor.cookie(TOKEN_HOST_ONLY))
    disabled_account(server, shop, visitor, alice)
    assert error(trade(service, visitor, cookie)) == "invalid_request"


def test_exchange_in_the_second_of_a_cut_off_waits_for_the_next(
    server: Server, make_service: MakeApp, visitor: Visitor, alice: Account, clock: HandClock
) -> None:
    service = make_service(audiences=(ISSUER, STOCK))
    visitor.sign_in(alice.username, PASSWORD)
    cookie = str(visitor.cookie(TOKEN_HOST_ONLY))
    cutoff = clock.now() + timedelta(seconds=0.4)
    server.capabilities.database.write(lambda db: accounts.change(db, alice.id, tokens_not_before=cutoff))
    assert error(trade(service, visitor, cookie)) == "invalid_request"
    assert clock.waited == timedelta(seconds=0.4)
