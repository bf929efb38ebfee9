"""A code is worth something once, to one client, at one address, for one verifier, while its session lives: O10 to O22."""

from collections.abc import Callable

import pytest

from authserver.accounts import store as accounts
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.audit import store as audit
from authserver.clients import store as clients
from authserver.resource.refusal import Reason
from tests.attacks.resource_service import ResourceService
from tests.clocks import HandClock
from tests.conftest import PASSWORD
from tests.oauth.conftest import CHALLENGE, VERIFIER, App, MakeApp
from tests.oauth.reading import Later, claims, error, events, introspected, listed
from tests.visitor import Visitor


@pytest.fixture
def later(clock: HandClock, server: Server) -> Later:
    return Later(clock, server)


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    return visitor


@pytest.mark.parametrize("seconds", [0, 1, 30, 120])
def test_second_use_of_a_code_ends_all_that_came_of_it(
    server: Server, app: App, later: Later, signed_in: Visitor, seconds: int
) -> None:
    code = app.code(signed_in)
    tokens = app.exchange(signed_in, code).json()
    assert introspected(app, signed_in, tokens["access_token"])["active"] is True
    later(seconds)
    assert error(app.exchange(signed_in, code)) == "invalid_grant"
    server.follow()
    for kind in ("access_token", "refresh_token"):
        assert introspected(app, signed_in, tokens[kind]) == {"active": False}
    assert error(app.refresh(signed_in, tokens["refresh_token"])) == "invalid_grant"
    grant_id = claims(server, tokens["access_token"])["grant_id"]
    assert listed(server) == [("grant_id", grant_id)]
    assert events(server)[0] == "authorization.code_reused"


def test_guard_of_a_resource_service_refuses_what_came_of_a_code_that_was_used_twice(
    server: Server, app: App, signed_in: Visitor
) -> None:
    code, service = app.code(signed_in), ResourceService(server, signed_in)
    token = app.exchange(signed_in, code).json()["access_token"]
    assert service.accepts(token)
    app.exchange(signed_in, code)
    assert service.refusal(token) is Reason.SIGNED_OUT


def test_second_use_is_found_out_whatever_else_is_wrong_with_it(
    server: Server, app: App, signed_in: Visitor
) -> None:
    code = app.code(signed_in)
    tokens = app.exchange(signed_in, code).json()
    answer = app.exchange(signed_in, code, code_verifier=None, redirect_uri=None)
    assert error(answer) == "invalid_grant"
    assert error(app.refresh(signed_in, tokens["refresh_token"])) == "invalid_grant"


def test_whoever_guesses_at_a_code_ends_nothing(app: App, make_app: MakeApp, signed_in: Visitor) -> None:
    """The grant id stands in every access token; the secret behind it in none."""
    other = make_app(client_id="other")
    code = app.code(signed_in)
    tokens = app.exchange(signed_in, code).json()
    grant_id, _, secret = code.partition(".")
    for guess in (f"{grant_id}.{'A' * 43}", f"{grant_id}.", grant_id, f"{grant_id}.{secret[:-1]}"):
        assert error(app.exchange(signed_in, guess)) == "invalid_grant"
    assert error(other.exchange(signed_in, code)) == "invalid_grant"
    assert app.refresh(signed_in, tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_code_of_one_client_is_nothing_to_another(
    app: App, public_app: App, make_app: MakeApp, signed_in: Visitor, kind: str
) -> None:
    other = public_app if kind == "public" else make_app(client_id="other")
    code = app.code(signed_in)
    assert error(other.exchange(signed_in, code)) == "invalid_grant"
    assert app.exchange(signed_in, code).status_code == 200


Spoil = Callable[[Server, App, Account, Visitor], None]


def a_minute(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    server.capabilities.clock.advance(60)  # type: ignore[attr-defined]
    server.follow()


def logout(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    visitor.post("/logout", json={})


def logout_everywhere(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    visitor.post("/logout", json={"everywhere": True})


def sign_out_by_the_operator(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.sign_out(db, alice, parts.clock.now()))


def password_change(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    parts = server.capabilities
    now = parts.clock.now()
    parts.database.write(
        lambda db: parts.consequences.change_password(db, alice, str(alice.password_hash), now, "operator")
    )


def account_disabled(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.disable(db, alice, parts.clock.now()))


def account_disabled_and_nothing_else(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    """As a restored backup may have it: the account is disabled, and no session was ended for it."""
    parts = server.capabilities
    parts.database.write(lambda db: accounts.change(db, alice.id, disabled_at=parts.clock.now()))


def consent_withdrawn(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    parts, client_id = server.capabilities, app.client.client_id
    now, why = parts.clock.now(), "consent.taken_back"
    parts.database.write(lambda db: parts.grants.end_of_client(db, alice.id, client_id, now=now, why=why))


def grant_type_taken_back(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    change(server, app, grant_types=["client_credentials"])


def client_disabled(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    change(server, app, disabled_at=server.capabilities.clock.now())


def client_deleted(server: Server, app: App, alice: Account, visitor: Visitor) -> None:
    server.capabilities.database.write(lambda db: clients.delete(db, app.client.client_id))


SPOILED = (
    (a_minute, "invalid_grant", 400),
    (logout, "invalid_grant", 400),
    (logout_everywhere, "invalid_grant", 400),
    (sign_out_by_the_operator, "invalid_grant", 400),
    (password_change, "invalid_grant", 400),
    (account_disabled, "invalid_grant", 400),
    (account_disabled_and_nothing_else, "invalid_grant", 400),
    (consent_withdrawn, "invalid_grant", 400),
    (grant_type_taken_back, "unauthorized_client", 400),
    (client_disabled, "invalid_client", 401),
    (client_deleted, "invalid_client", 401),
)


@pytest.mark.parametrize(
    ("spoil", "expected", "status"), SPOILED, ids=lambda each: getattr(each, "__name__", "")
)
def test_code_is_worth_nothing_after(
    server: Server,
    app: App,
    alice: Account,
    signed_in: Visitor,
    spoil: Spoil,
    expected: str,
    status: int,
) -> None:
    codes = [app.code(signed_in, scope=scope) for scope in ("openid", "openid offline_access")]
    spoil(server, app, alice, signed_in)
    for code in codes:
        assert error(app.exchange(signed_in, code), status) == expected
    signed_in.sign_in(alice.username, PASSWORD)
    for code in codes:
        assert error(app.exchange(signed_in, code), status) == expected


def test_withdrawn_consent_ends_every_token_that_came_of_it_and_none_of_another_app(
    server: Server, app: App, make_app: MakeApp, alice: Account, signed_in: Visitor
) -> None:
    other = make_app(client_id="other")
    first, second = (app.exchange(signed_in, app.code(signed_in)).json()["access_token"] for _ in range(2))
    kept = other.exchange(signed_in, other.code(signed_in)).json()["access_token"]
    consent_withdrawn(server, app, alice, signed_in)
    server.follow()
    ended = {("grant_id", claims(server, each)["grant_id"]) for each in (first, second)}
    assert set(listed(server)) == ended
    assert introspected(app, signed_in, first) == introspected(app, signed_in, second) == {"active": False}
    assert introspected(other, signed_in, kept)["active"] is True
    assert events(server)[0] == "consent.taken_back"


def test_code_lives_for_a_minute_and_no_longer(app: App, later: Later, signed_in: Visitor) -> None:
    first, second = app.code(signed_in), app.code(signed_in)
    later(59.999)
    assert app.exchange(signed_in, first).status_code == 200
    later(0.001)
    assert error(app.exchange(signed_in, second)) == "invalid_grant"


# RFC 7636


BAD_VERIFIERS = (
    None,
    "",
    VERIFIER + "x",
    VERIFIER[:-1],
    VERIFIER.swapcase(),
    CHALLENGE,
    VERIFIER[:42],
    VERIFIER + "x" * 100,
    VERIFIER + "\n",
    f" {VERIFIER}",
    "코" * 43,
    '"' * 43,
)


def test_code_with_a_challenge_needs_its_verifier(
    app: App, public_app: App, signed_in: Visitor, subtests: pytest.Subtests
) -> None:
    for asking in (app, public_app):
        code = asking.code(signed_in)
        for verifier in BAD_VERIFIERS:
            with subtests.test(verifier=verifier):
                assert error(asking.exchange(signed_in, code, code_verifier=verifier)) == "invalid_grant"
        assert asking.exchange(signed_in, code).status_code == 200


def test_code_without_a_challenge_refuses_a_verifier(make_app: MakeApp, signed_in: Visitor) -> None:
    """Else whoever strips the challenge from the request is not found out (RFC 9700 §4.8.2)."""
    old = make_app(require_pkce=False)
    code = old.code(signed_in, code_challenge=None, code_challenge_method=None)
    assert error(old.exchange(signed_in, code)) == "invalid_grant"
    assert old.exchange(signed_in, code, code_verifier=None).status_code == 200


def test_client_that_may_leave_pkce_out_is_held_to_the_challenge_that_it_sent(
    make_app: MakeApp, signed_in: Visitor
) -> None:
    old = make_app(require_pkce=False)
    code = old.code(signed_in)
    assert error(old.exchange(signed_in, code, code_verifier=None)) == "invalid_grant"


# what the token is for


def test_token_can_be_for_less_than_was_allowed_and_for_nothing_else(
    server: Server, make_app: MakeApp, signed_in: Visitor
) -> None:
    app = make_app(audiences=("https://a.example/", "https://b.example/"))
    code = app.code(signed_in, scope="orders:read", resource="https://a.example/")
    assert error(app.exchange(signed_in, code, resource="https://b.example/")) == "invalid_target"
    tokens = app.exchange(signed_in, code, resource="https://a.example/").json()
    assert claims(server, tokens["access_token"])["aud"] == "https://a.example/"


def test_client_without_the_refresh_grant_gets_no_refresh_token(
    make_app: MakeApp, signed_in: Visitor
) -> None:
    app = make_app(grant_types=("authorization_code",))
    assert "refresh_token" not in app.exchange(signed_in, app.code(signed_in)).json()


def test_code_is_nowhere_in_the_audit_log_nor_in_the_table(
    server: Server, app: App, signed_in: Visitor
) -> None:
    code = app.code(signed_in)
    tokens = app.exchange(signed_in, code).json()
    app.exchange(signed_in, code)
    kept = server.capabilities.database.read(
        lambda db: [*audit.entries(db, limit=100), *db.exec_driver_sql('SELECT * FROM "authorization"').all()]
    )
    written = repr(kept)
    for secret in (code, code.partition(".")[2], tokens["refresh_token"].split(".")[1]):
        assert secret not in written


def change(server: Server, app: App, **columns: object) -> None:
    server.capabilities.database.write(lambda db: clients.change(db, app.client.client_id, **columns))
