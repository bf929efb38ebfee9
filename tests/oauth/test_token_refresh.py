"""A refresh token is rotated, is found out when it was stolen, and ends with what it came from: O40, O41, O43."""

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.oauth.conftest import GRANTS, App, MakeApp
from tests.oauth.reading import Later, claims, error, events, introspected, listed
from tests.oauth.test_token_code import SPOILED, Spoil, a_minute, change
from tests.visitor import Visitor

ONLINE, OFFLINE = "openid orders:read", "openid orders:read offline_access"
ENDINGS = [each for each in SPOILED if each[0] is not a_minute]


@pytest.fixture
def later(clock: HandClock, server: Server) -> Later:
    return Later(clock, server)


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    return visitor


def begun(app: App, visitor: Visitor, scope: str = ONLINE) -> str:
    return str(app.exchange(visitor, app.code(visitor, scope=scope)).json()["refresh_token"])


def rotated(app: App, visitor: Visitor, token: str) -> str:
    answer = app.refresh(visitor, token)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])


# who may use it, for what, and how long


@pytest.mark.parametrize("scope", [ONLINE, OFFLINE])
@pytest.mark.parametrize(
    ("spoil", "expected", "status"), ENDINGS, ids=lambda each: getattr(each, "__name__", "")
)
def test_refresh_token_is_worth_nothing_after(
    server: Server,
    app: App,
    alice: Account,
    signed_in: Visitor,
    spoil: Spoil,
    expected: str,
    status: int,
    scope: str,
) -> None:
    if scope == OFFLINE and spoil.__name__ == "logout":
        pytest.skip("what `offline_access` is for")
    token = begun(app, signed_in, scope)
    other = token if status == 401 else begun(app, signed_in, scope)
    spoil(server, app, alice, signed_in)
    assert error(app.refresh(signed_in, token), status) == expected
    signed_in.sign_in(alice.username, PASSWORD)
    assert error(app.refresh(signed_in, other), status) == expected


@pytest.mark.parametrize("scope", [ONLINE, OFFLINE])
@pytest.mark.parametrize("spoil", [each[0] for each in ENDINGS[:7]], ids=lambda each: each.__name__)
def test_refresh_token_that_is_worth_nothing_is_not_called_active(
    server: Server, app: App, alice: Account, signed_in: Visitor, spoil: Spoil, scope: str
) -> None:
    token = begun(app, signed_in, scope)
    assert introspected(app, signed_in, token)["active"] is True
    spoil(server, app, alice, signed_in)
    goes_on = scope == OFFLINE and spoil.__name__ == "logout"
    assert introspected(app, signed_in, token)["active"] is goes_on


def test_offline_access_goes_on_after_a_logout_and_ends_with_a_logout_everywhere(
    server: Server, app: App, later: Later, signed_in: Visitor
) -> None:
    token = begun(app, signed_in, OFFLINE)
    signed_in.post("/logout", json={})
    token = rotated(app, signed_in, token)
    signed_in.sign_in("alice", PASSWORD)
    signed_in.post("/logout", json={"everywhere": True})
    assert error(app.refresh(signed_in, token)) == "invalid_grant"


def test_using_a_refresh_token_keeps_its_session_alive_and_an_idle_one_ends_it(
    server: Server, app: App, later: Later, signed_in: Visitor
) -> None:
    token = begun(app, signed_in)
    idle = server.settings.session_idle_timeout.total_seconds()
    for _ in range(3):
        later(idle * 0.9)
        token = rotated(app, signed_in, token)
    later(idle)
    assert error(app.refresh(signed_in, token)) == "invalid_grant"


def test_refresh_token_ends_for_good_however_often_it_is_used(
    server: Server, app: App, later: Later, signed_in: Visitor
) -> None:
    token = begun(app, signed_in, OFFLINE)
    life = server.settings.refresh_token_lifetime.total_seconds()
    for _ in range(3):
        later(life / 4)
        token = rotated(app, signed_in, token)
    later(life / 4)
    assert error(app.refresh(signed_in, token)) == "invalid_grant"


def test_client_can_have_a_shorter_life_of_its_refresh_tokens(
    make_app: MakeApp, later: Later, signed_in: Visitor
) -> None:
    app = make_app(refresh_token_lifetime=600)
    token = begun(app, signed_in, OFFLINE)
    later(599)
    token = rotated(app, signed_in, token)
    later(1)
    assert error(app.refresh(signed_in, token)) == "invalid_grant"
    assert introspected(app, signed_in, token) == {"active": False}


@pytest.mark.parametrize(
    "scope", ["orders:write", "openid orders:read orders:write", "admin", "offline_access"]
)
def test_scope_can_be_narrowed_and_never_widened(
    server: Server, app: App, signed_in: Visitor, scope: str
) -> None:
    token = begun(app, signed_in)
    assert error(app.refresh(signed_in, token, scope=scope)) == "invalid_scope"
    less = app.refresh(signed_in, token, scope="orders:read").json()
    assert (less["scope"], claims(server, less["access_token"])["scope"]) == ("orders:read", "orders:read")
    assert "id_token" not in less
    assert app.refresh(signed_in, less["refresh_token"]).json()["scope"] == ONLINE


def test_resource_can_be_narrowed_and_never_widened(
    server: Server, make_app: MakeApp, signed_in: Visitor
) -> None:
    app = make_app(audiences=("https://a.example/", "https://b.example/", "https://c.example/"))
    answer = signed_in.get(
        "/oauth2/authorize",
        params=[
            *app.request(scope="orders:read").items(),
            ("resource", "https://a.example/"),
            ("resource", "https://b.example/"),
        ],
    )
    code = answer.headers["location"].partition("code=")[2].partition("&")[0]
    token = app.exchange(signed_in, code).json()["refresh_token"]
    assert error(app.refresh(signed_in, token, resource="https://c.example/")) == "invalid_target"
    less = app.refresh(signed_in, token, resource="https://b.example/").json()
    assert claims(server, less["access_token"])["aud"] == "https://b.example/"


def test_scope_that_the_operator_took_from_the_client_is_in_no_new_token(
    server: Server, app: App, signed_in: Visitor
) -> None:
    token = begun(app, signed_in, "openid orders:read orders:write")
    change(server, app, scope="openid orders:read")
    tokens = app.refresh(signed_in, token).json()
    assert claims(server, tokens["access_token"])["scope"] == "openid orders:read"


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_refresh_token_of_one_client_is_nothing_to_another_and_is_not_hurt_by_it(
    app: App, public_app: App, make_app: MakeApp, signed_in: Visitor, kind: str
) -> None:
    """CVE-2026-55672 and Rauthy 0.36.1: a token of one client minted tokens of another."""
    other = public_app if kind == "public" else make_app(client_id="other")
    token = begun(app, signed_in)
    assert error(other.refresh(signed_in, token)) == "invalid_grant"
    signed_in.post("/oauth2/revoke", data={"token": token, "client_id": "orders-page"})
    rotated(app, signed_in, token)


def test_old_refresh_token_in_the_hands_of_another_client_ends_nothing(
    app: App, make_app: MakeApp, later: Later, signed_in: Visitor
) -> None:
    other, first = make_app(client_id="other"), begun(app, signed_in)
    second = rotated(app, signed_in, first)
    later(60)
    assert error(other.refresh(signed_in, first)) == "invalid_grant"
    rotated(app, signed_in, second)


def test_confidential_client_has_to_prove_itself_to_refresh(app: App, signed_in: Visitor) -> None:
    """CVE-2026-53512."""
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": begun(app, signed_in),
        "client_id": "orders-web",
    }
    assert error(signed_in.post("/oauth2/token", data=fields), 401) == "invalid_client"


def test_client_without_the_grant_cannot_refresh(server: Server, app: App, signed_in: Visitor) -> None:
    token = begun(app, signed_in)
    change(server, app, grant_types=[name for name in GRANTS if name != "refresh_token"])
    assert error(app.refresh(signed_in, token)) == "unauthorized_client"


# rotation


def test_old_refresh_token_ends_its_family_and_is_written_down(
    server: Server, app: App, later: Later, signed_in: Visitor
) -> None:
    first = begun(app, signed_in)
    tokens = app.refresh(signed_in, first).json()
    later(30.001)
    assert error(app.refresh(signed_in, first)) == "invalid_grant"
    assert events(server)[0] == "authorization.refresh_token_reused"
    server.follow()
    assert error(app.refresh(signed_in, tokens["refresh_token"])) == "invalid_grant"
    assert introspected(app, signed_in, tokens["access_token"]) == {"active": False}
    assert introspected(app, signed_in, tokens["refresh_token"]) == {"active": False}


def test_much_older_refresh_token_of_the_family_ends_it_too(
    app: App, signed_in: Visitor, later: Later
) -> None:
    first = begun(app, signed_in)
    newest = first
    for _ in range(3):
        newest = rotated(app, signed_in, newest)
        later(31)
    assert error(app.refresh(signed_in, first)) == "invalid_grant"
    assert error(app.refresh(signed_in, newest)) == "invalid_grant"


def test_repeat_within_30_seconds_gets_the_same_successor(
    server: Server, app: App, later: Later, signed_in: Visitor
) -> None:
    first = begun(app, signed_in)
    second = rotated(app, signed_in, first)
    later(30)
    assert rotated(app, signed_in, first) == second
    third = rotated(app, signed_in, second)
    assert third not in (first, second)
    assert "authorization.refresh_token_reused" not in events(server)


def test_repeat_does_not_make_the_time_for_repeats_longer(app: App, later: Later, signed_in: Visitor) -> None:
    first = begun(app, signed_in)
    rotated(app, signed_in, first)
    later(20)
    rotated(app, signed_in, first)
    later(20)
    assert error(app.refresh(signed_in, first)) == "invalid_grant"


def test_forty_refreshes_at_once_hold_one_successor(app: App, signed_in: Visitor) -> None:
    token = begun(app, signed_in)
    ask = {"data": {"grant_type": "refresh_token", "refresh_token": token}, "auth": app.auth}
    answers = signed_in.together(*[("POST", "/oauth2/token", ask)] * 40)
    assert {answer.status_code for answer in answers} == {200}
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert len({answer.json()["access_token"] for answer in answers}) == 40
    rotated(app, signed_in, successors.pop())


def test_forty_exchanges_at_once_give_tokens_to_one(app: App, signed_in: Visitor) -> None:
    code = app.code(signed_in)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "https://orders.example/callback",
        "code_verifier": "a-code-verifier-of-43-characters-or-more-0123456789",
    }
    answers = signed_in.together(*[("POST", "/oauth2/token", {"data": fields, "auth": app.auth})] * 40)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [400] * 39
    assert {error(answer) for answer in answers if answer.status_code == 400} == {"invalid_grant"}


def test_invented_refresh_token_ends_nobodys_family(app: App, signed_in: Visitor) -> None:
    """The grant id stands in every access token, and a secret alone is not enough: the seal is missing."""
    token = begun(app, signed_in)
    grant_id, secret, seal = token.split(".")
    invented = (
        f"{grant_id}.{'A' * 43}.{seal}",
        f"{grant_id}.{secret}.{'A' * 22}",
        f"{grant_id}.{secret}",
        f"{grant_id}.{secret}.{seal}.",
        f"{grant_id}..",
        f"{'A' * 22}.{secret}.{seal}",
        f"{grant_id}.{secret}.{seal}=",
        f" {token}",
        f"{token}\n",
        token.swapcase(),
        token * 10,
        "주문",
        '"',
    )
    for each in invented:
        assert error(app.refresh(signed_in, each)) == "invalid_grant"
        signed_in.post("/oauth2/revoke", data={"token": each}, auth=app.auth)
    assert introspected(app, signed_in, token)["active"] is True
    rotated(app, signed_in, token)


def test_client_that_does_not_rotate_keeps_its_token(
    make_app: MakeApp, later: Later, signed_in: Visitor
) -> None:
    app = make_app(rotate_refresh_tokens=False)
    token = begun(app, signed_in)
    for _ in range(3):
        later(60)
        assert rotated(app, signed_in, token) == token


def test_looking_at_an_old_token_ends_nothing(app: App, later: Later, signed_in: Visitor) -> None:
    first = begun(app, signed_in)
    second = rotated(app, signed_in, first)
    later(31)
    assert introspected(app, signed_in, first) == {"active": False}
    rotated(app, signed_in, second)


# what revoking does: O92


def test_token_of_another_client_is_not_revoked_and_nobody_learns_of_it(
    server: Server, app: App, make_app: MakeApp, signed_in: Visitor
) -> None:
    other = make_app(client_id="other")
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    unknown = signed_in.post("/oauth2/revoke", data={"token": "unknown"}, auth=other.auth)
    for kind in ("access_token", "refresh_token", "id_token"):
        answer = signed_in.post("/oauth2/revoke", data={"token": tokens[kind]}, auth=other.auth)
        assert (answer.status_code, answer.text) == (unknown.status_code, unknown.text) == (200, "")
    server.follow()
    assert listed(server) == []
    assert introspected(app, signed_in, tokens["access_token"])["active"] is True
    rotated(app, signed_in, tokens["refresh_token"])


def test_old_refresh_token_revokes_its_family(app: App, later: Later, signed_in: Visitor) -> None:
    first = begun(app, signed_in)
    second = rotated(app, signed_in, first)
    later(60)
    assert signed_in.post("/oauth2/revoke", data={"token": first}, auth=app.auth).status_code == 200
    assert error(app.refresh(signed_in, second)) == "invalid_grant"


def test_revoking_one_token_again_and_again_is_one_entry_of_the_list(
    server: Server, app: App, signed_in: Visitor
) -> None:
    tokens = app.exchange(signed_in, app.code(signed_in)).json()
    for kind in ("access_token", "access_token", "refresh_token", "refresh_token"):
        assert (
            signed_in.post("/oauth2/revoke", data={"token": tokens[kind]}, auth=app.auth).status_code == 200
        )
    server.follow()
    assert sorted(kind for kind, _ in listed(server)) == ["grant_id", "jti"]


def test_deleted_client_takes_its_authorizations_along(server: Server, app: App, signed_in: Visitor) -> None:
    token = begun(app, signed_in)
    server.capabilities.database.write(lambda db: clients.delete(db, app.client.client_id))
    count = 'SELECT count(*) FROM "authorization"'
    left = server.capabilities.database.read(lambda db: db.exec_driver_sql(count).scalar())
    assert left == 0
    assert error(app.refresh(signed_in, token), 401) == "invalid_client"
