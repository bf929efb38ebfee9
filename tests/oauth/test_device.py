"""Device authorization: SECURITY O80, RFC 8628, RFC 10027, from the device's first request to its tokens."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Connection

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from authserver.clients.registration import DEVICE_CODE
from authserver.consents import store as consents
from authserver.devices.asking import FROM_ONE_ADDRESS
from authserver.devices.deciding import OF_ONE_ACCOUNT
from tests.cli.conftest import on_sqlite
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, add_account
from tests.oauth.conftest import App, MakeApp
from tests.oauth.device_flow import PAGE, Television, decide, look
from tests.oauth.reading import claims, error, events
from tests.oauth.waiting import later
from tests.visitor import Visitor

MakeVisitor = Callable[..., Visitor]
LIVING_ROOM, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
def tv_app(make_app: MakeApp) -> App:
    return make_app(
        client_id="tv",
        client_name="Living Room TV",
        redirect_uris=(),
        grant_types=(DEVICE_CODE, "refresh_token"),
        token_endpoint_auth_method="none",
        first_party=False,
    )


@pytest.fixture
def tv(server: Server, tv_app: App, make_visitor: MakeVisitor) -> Television:
    return Television(tv_app, make_visitor(server, address=LIVING_ROOM))


@pytest.fixture
def person(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    return visitor


def test_device_is_connected_and_gets_its_tokens(
    server: Server, tv: Television, person: Visitor, alice: Account, clock: HandClock
) -> None:
    begun = tv.begin()
    assert error(tv.poll(begun["device_code"])) == "authorization_pending"
    assert look(person, begun["user_code"]).status_code == 200
    assert "Your device is connected" in decide(person, begun["user_code"]).text
    clock.advance(5)
    answer = tv.poll(begun["device_code"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    said = claims(server, tokens["access_token"])
    assert (said["sub"], said["client_id"], said["scope"]) == (alice.id, "tv", "openid orders:read")
    assert claims(server, tokens["id_token"])["aud"] == "tv"
    assert tv.app.refresh(tv.visitor, tokens["refresh_token"]).status_code == 200


@on_sqlite
def test_answer_to_a_device_is_what_the_rfc_says(tv: Television) -> None:
    answer = tv.ask()
    assert answer.headers["cache-control"] == "no-store"
    begun = answer.json()
    assert set(begun) == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in"),
        "interval",
    }
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", begun["user_code"])
    assert begun["verification_uri"] == f"{ISSUER}/device"
    assert begun["verification_uri_complete"] == f"{ISSUER}/device?user_code={begun['user_code']}"
    assert (begun["expires_in"], begun["interval"]) == (600, 5)
    assert begun["user_code"] not in begun["device_code"]


@on_sqlite
def test_discovery_names_the_endpoint_and_the_grant(visitor: Visitor) -> None:
    said = visitor.get("/.well-known/openid-configuration").json()
    assert said["device_authorization_endpoint"] == f"{ISSUER}/oauth2/device_authorization"
    assert DEVICE_CODE in said["grant_types_supported"]


@on_sqlite
def test_only_what_is_registered_can_be_asked_for(tv: Television, make_app: MakeApp) -> None:
    assert error(tv.ask(scope="admin")) == "invalid_scope"
    assert error(tv.ask(resource="https://evil.example")) == "invalid_target"
    assert error(tv.ask(client_id="nobody"), 401) == "invalid_client"
    other = Television(make_app(), tv.visitor)
    assert error(other.ask()) == "unauthorized_client"


@on_sqlite
def test_scope_beyond_the_registered_ones_is_left_out(
    server: Server, tv: Television, person: Visitor, clock: HandClock
) -> None:
    begun = tv.begin(scope="orders:read admin")
    decide(person, begun["user_code"])
    assert tv.poll(begun["device_code"]).json()["scope"] == "orders:read"


@on_sqlite
def test_device_with_a_secret_has_to_prove_it(tv: Television, make_app: MakeApp) -> None:
    app = make_app(client_id="kiosk", redirect_uris=(), grant_types=(DEVICE_CODE,))
    kiosk = Television(app, tv.visitor)
    assert kiosk.ask().status_code == 200
    thief = Television(App(app.client, None), tv.visitor)
    assert error(thief.ask(), 401) == "invalid_client"


@on_sqlite
def test_who_asks_too_often_has_to_wait_longer_from_then_on(
    server: Server, tv: Television, clock: HandClock
) -> None:
    code = tv.begin()["device_code"]
    assert error(tv.poll(code)) == "authorization_pending"
    for seconds, says in (
        (4, "slow_down"),
        (9, "slow_down"),
        (14, "slow_down"),
        (20, "authorization_pending"),
    ):
        later(server, clock, seconds)
        assert error(tv.poll(code)) == says


def test_device_code_is_good_once_and_its_second_use_ends_what_came_of_it(
    server: Server, tv: Television, person: Visitor, clock: HandClock
) -> None:
    begun = tv.begin()
    decide(person, begun["user_code"])
    tokens = tv.poll(begun["device_code"]).json()
    assert error(tv.poll(begun["device_code"])) == "invalid_grant"
    assert error(tv.app.refresh(tv.visitor, tokens["refresh_token"])) == "invalid_grant"
    assert "authorization.code_reused" in events(server)


def test_of_many_polls_at_once_one_gets_the_tokens(tv: Television, person: Visitor) -> None:
    begun = tv.begin()
    decide(person, begun["user_code"])
    fields = {"grant_type": DEVICE_CODE, "device_code": begun["device_code"], "client_id": "tv"}
    answers = tv.visitor.together(*[("POST", "/oauth2/token", {"data": fields})] * 10)
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 9]


@on_sqlite
def test_device_code_expires(server: Server, tv: Television, person: Visitor, clock: HandClock) -> None:
    begun = tv.begin()
    later(server, clock, timedelta(minutes=10))
    assert error(tv.poll(begun["device_code"])) == "expired_token"
    assert decide(person, begun["user_code"]).status_code == 400


@on_sqlite
def test_yes_that_nobody_came_for_in_time_is_over(
    server: Server, tv: Television, person: Visitor, clock: HandClock
) -> None:
    begun = tv.begin()
    clock.advance(timedelta(minutes=9))
    decide(person, begun["user_code"])
    later(server, clock, timedelta(minutes=1))
    assert error(tv.poll(begun["device_code"])) == "expired_token"


@on_sqlite
def test_device_code_of_another_client_is_unknown(tv: Television, person: Visitor, make_app: MakeApp) -> None:
    begun = tv.begin()
    decide(person, begun["user_code"])
    app = make_app(client_id="radio", redirect_uris=(), grant_types=(DEVICE_CODE,))
    assert error(Television(app, tv.visitor).poll(begun["device_code"])) == "invalid_grant"
    assert tv.poll(begun["device_code"]).status_code == 200


@pytest.mark.parametrize("code", ["x", "디바이스", '"', "é" * 1000])
@on_sqlite
def test_device_code_that_is_none_is_refused(tv: Television, code: str) -> None:
    assert error(tv.poll(code)) == "invalid_grant"


@on_sqlite
def test_device_code_is_missed(tv: Television) -> None:
    assert error(tv.poll("")) == "invalid_request"


@on_sqlite
def test_client_that_is_not_registered_for_it_may_not_poll(tv: Television, make_app: MakeApp) -> None:
    code = tv.begin()["device_code"]
    assert error(Television(make_app(), tv.visitor).poll(code)) == "unauthorized_client"


def test_no_is_told_to_the_device_and_cannot_be_turned_into_a_yes_by_anybody(
    server: Server, tv: Television, person: Visitor, make_visitor: MakeVisitor
) -> None:
    begun = tv.begin()
    assert "The device was not connected" in decide(person, begun["user_code"], "refuse").text
    bob = add_account(server, "Bob")
    other = make_visitor(server)
    other.sign_in(bob.username, PASSWORD)
    for visitor in (person, other):
        assert decide(visitor, begun["user_code"]).status_code == 400
    assert error(tv.poll(begun["device_code"])) == "access_denied"
    assert "device.refused" in events(server)
    assert "device.allowed" not in events(server)


@on_sqlite
def test_yes_of_one_person_cannot_become_another_persons(
    server: Server, tv: Television, person: Visitor, alice: Account, make_visitor: MakeVisitor
) -> None:
    begun = tv.begin()
    decide(person, begun["user_code"])
    add_account(server, "Bob")
    other = make_visitor(server)
    other.sign_in("bob", PASSWORD)
    assert decide(other, begun["user_code"]).status_code == 400
    assert claims(server, tv.poll(begun["device_code"]).json()["access_token"])["sub"] == alice.id


@on_sqlite
def test_sign_out_between_the_yes_and_the_poll_takes_it_back(tv: Television, person: Visitor) -> None:
    begun = tv.begin()
    decide(person, begun["user_code"])
    person.post("/logout", json={})
    assert error(tv.poll(begun["device_code"])) == "invalid_grant"


@on_sqlite
def test_device_that_may_stay_connected_goes_on_after_the_sign_out(
    server: Server, tv: Television, person: Visitor
) -> None:
    begun = tv.begin(scope="openid offline_access")
    decide(person, begun["user_code"])
    refresh_token = tv.poll(begun["device_code"]).json()["refresh_token"]
    person.post("/logout", json={})
    assert tv.app.refresh(tv.visitor, refresh_token).status_code == 200


@on_sqlite
def test_link_with_the_code_in_it_only_fills_in_the_field(
    server: Server, tv: Television, person: Visitor
) -> None:
    begun = tv.begin()
    page = person.get(begun["verification_uri_complete"], headers=PAGE)
    assert f'value="{begun["user_code"]}"' in page.text
    assert "Living Room TV" not in page.text
    assert error(tv.poll(begun["device_code"])) == "authorization_pending"
    assert "device.allowed" not in events(server)


@on_sqlite
def test_page_says_which_app_where_it_asked_and_what_for(
    server: Server, tv: Television, person: Visitor, alice: Account
) -> None:
    tv.visitor.http.headers["user-agent"] = "Mozilla/5.0 (X11; Linux) Chrome/130.0"
    begun = tv.begin(scope="openid email orders:read")
    page = look(person, begun["user_code"].lower().replace("-", " ")).text
    for words in (
        *("Living Room TV", begun["user_code"], LIVING_ROOM, "Chrome Linux", "2026-11-23T09:00:00Z"),
        *("See your e-mail address", "orders:read", f"You are signed in as {alice.display_name}"),
    ):
        assert words in page
    assert "another network" not in page
    assert error(tv.poll(begun["device_code"])) == "authorization_pending"


@on_sqlite
def test_device_that_asked_from_another_network_is_pointed_out(
    server: Server, tv_app: App, person: Visitor, make_visitor: MakeVisitor
) -> None:
    begun = Television(tv_app, make_visitor(server, address=ELSEWHERE)).begin()
    page = look(person, begun["user_code"]).text
    assert "another network" in page
    assert ELSEWHERE in page


@on_sqlite
def test_name_of_an_app_is_text_on_the_page(server: Server, make_app: MakeApp, person: Visitor) -> None:
    app = make_app(
        client_id="evil",
        client_name="<script>alert(1)</script>",
        redirect_uris=(),
        grant_types=(DEVICE_CODE,),
    )
    television = Television(app, person)
    page = look(person, television.begin()["user_code"]).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


@on_sqlite
def test_who_is_not_signed_in_signs_in_and_comes_back_with_the_code(
    tv: Television, visitor: Visitor, alice: Account
) -> None:
    begun = tv.begin()
    sent = visitor.get(begun["verification_uri_complete"], headers=PAGE)
    assert sent.status_code == 303
    place = urlsplit(sent.headers["location"])
    assert place.path == "/login"
    back = parse_qs(place.query)["return_to"][0]
    assert back == f"/device?user_code={begun['user_code']}"
    fields = {"username": alice.username, "password": PASSWORD, "return_to": back}
    answer = visitor.form(sent.headers["location"], "/login", fields)
    assert answer.headers["location"] == back
    assert begun["user_code"] in visitor.get(back, headers=PAGE).text


@pytest.mark.parametrize("code", ["//evil.example", "x&return_to=/", "<b>", "BCDF-GHJ", "BCDFGHJKL", "é"])
@on_sqlite
def test_what_is_no_code_is_not_carried_anywhere(visitor: Visitor, alice: Account, code: str) -> None:
    sent = visitor.get("/device", params={"user_code": code}, headers=PAGE)
    assert sent.headers["location"] == "/login?return_to=%2Fdevice"
    visitor.sign_in(alice.username, PASSWORD)
    page = visitor.get("/device", params={"user_code": code}, headers=PAGE)
    assert 'name="user_code" type="text" value=""' in page.text


@pytest.mark.parametrize("decision", ["allow", None])
@on_sqlite
def test_form_of_another_site_or_without_its_token_is_refused(
    tv: Television, person: Visitor, decision: str | None
) -> None:
    begun = tv.begin()
    fields = {"user_code": begun["user_code"], **({"decision": decision} if decision else {})}
    ours, theirs = {"Origin": ISSUER, **PAGE}, {"Origin": "https://evil.example", **PAGE}
    assert person.post("/device", data=fields, headers=ours).status_code == 403
    assert person.form("/device", "/device", fields, headers=theirs).status_code == 403
    assert error(tv.poll(begun["device_code"])) == "authorization_pending"


@on_sqlite
def test_nobody_decides_without_being_signed_in(tv: Television, person: Visitor) -> None:
    begun = tv.begin()
    cookie = person.cookie("__Host-session")
    person.post("/logout", json={})
    person.http.cookies.set("__Host-session", str(cookie), domain="login.example.com")
    assert decide(person, begun["user_code"]).status_code in (303, 403)
    assert error(tv.poll(begun["device_code"])) == "authorization_pending"


@on_sqlite
def test_guesses_of_one_account_have_an_end_wherever_they_come_from(
    server: Server, tv: Television, alice: Account, make_visitor: MakeVisitor, clock: HandClock
) -> None:
    begun = tv.begin()
    window = OF_ONE_ACCOUNT[0]
    guesser = make_visitor(server)
    for number in range(window.attempts):
        guesser = make_visitor(server, address=f"198.51.100.{number}")
        guesser.sign_in(alice.username, PASSWORD)
        assert look(guesser, "BCDF-GHJK").status_code == 400
    for send in (look, decide):
        refused = send(guesser, begun["user_code"])
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["retry-after"]) <= window.seconds
    assert error(tv.poll(begun["device_code"])) == "authorization_pending"
    clock.advance(window.seconds)
    assert decide(guesser, begun["user_code"]).status_code == 400  # its ten minutes are over as well


@on_sqlite
def test_right_guesses_do_not_begin_the_count_anew(tv: Television, person: Visitor) -> None:
    for _ in range(OF_ONE_ACCOUNT[0].attempts // 2):
        decide(person, tv.begin()["user_code"])
        look(person, "BCDF-GHJK")
    assert look(person, tv.begin()["user_code"]).status_code == 429


@on_sqlite
def test_devices_of_one_address_have_an_end(server: Server, tv: Television, clock: HandClock) -> None:
    window = FROM_ONE_ADDRESS[0]
    answers = tv.visitor.together(
        *[("POST", "/oauth2/device_authorization", {"data": {"client_id": "tv", "scope": "openid"}})]
        * window.attempts
    )
    assert {answer.status_code for answer in answers} == {200}
    refused = tv.ask()
    assert error(refused, 429) == "slow_down"
    assert int(refused.headers["retry-after"]) <= window.seconds
    clock.advance(window.seconds)
    assert tv.ask().status_code == 200


@on_sqlite
def test_what_was_allowed_stands_among_the_consents(
    server: Server, tv: Television, person: Visitor, alice: Account
) -> None:
    decide(person, tv.begin()["user_code"])

    def allowed(db: Connection) -> frozenset[str]:
        return consents.scopes(db, alice.id, "tv")

    assert server.capabilities.database.read(allowed) == {"openid", "orders:read"}
    assert events(server)[0] == "device.allowed"


@on_sqlite
def test_device_of_a_disabled_app_waits_for_nobody(server: Server, tv: Television, person: Visitor) -> None:
    begun = tv.begin()
    now = server.capabilities.clock.now()
    server.capabilities.database.write(lambda db: clients.change(db, "tv", disabled_at=now))
    assert look(person, begun["user_code"]).status_code == 400
    assert error(tv.poll(begun["device_code"]), 401) == "invalid_client"


@on_sqlite
def test_asking_by_another_name_of_the_host_leads_to_the_issuer(visitor: Visitor) -> None:
    away = visitor.get("/device?user_code=BCDF-GHJK", headers={"Host": "127.0.0.1", **PAGE})
    assert away.headers["location"] == f"{ISSUER}/device?user_code=BCDF-GHJK"


@on_sqlite
def test_codes_that_are_over_are_purged(server: Server, tv: Television, clock: HandClock) -> None:
    tv.begin()
    clock.advance(timedelta(minutes=70))
    assert server.capabilities.maintenance.run().purged["device_authorizations"] == 0
    clock.advance(1)
    assert server.capabilities.maintenance.run().purged["device_authorizations"] == 1
