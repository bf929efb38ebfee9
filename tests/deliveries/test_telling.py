"""Who is told of what: every trigger writes the ledger, in the transaction that ends the session."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.accounts import store as accounts
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.authorizations import store as authorizations
from tests.clocks import HandClock
from tests.conftest import PASSWORD, add_account
from tests.deliveries.conftest import Receiver, ledger, sessions_of
from tests.oauth.conftest import App, MakeApp
from tests.visitor import Visitor

NEW_PASSWORD = "quarry saffron bicycle lagoon"

Trigger = Callable[[Server, Visitor, Account], object]


def signs_out_here(server: Server, visitor: Visitor, alice: Account) -> None:
    assert visitor.post("/logout", json={}).status_code == 200


def signs_out_everywhere(server: Server, visitor: Visitor, alice: Account) -> None:
    assert visitor.post("/logout", json={"everywhere": True}).status_code == 200


def ends_the_session_on_the_account_page(server: Server, visitor: Visitor, alice: Account) -> None:
    visitor.form("/account", f"/account/sessions/{sessions_of(server)[0]}/end", {})


def somebody_else_signs_in_in_the_same_browser(server: Server, visitor: Visitor, alice: Account) -> None:
    add_account(server, "Bob")
    assert visitor.sign_in("bob", PASSWORD).status_code == 200


def changes_the_password(server: Server, visitor: Visitor, alice: Account) -> None:
    fields = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert visitor.form("/account/password", "/account/password", fields).status_code == 303


def operator_ends_the_session(server: Server, visitor: Visitor, alice: Account) -> None:
    parts = server.capabilities
    [sid] = sessions_of(server)
    parts.database.write(
        lambda db: parts.sign_out.here(db, [sid], now=parts.clock.now(), why="session.ended", by="operator")
    )


def operator_signs_the_account_out(server: Server, visitor: Visitor, alice: Account) -> None:
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.sign_out(db, alice, parts.clock.now()))


def operator_disables_the_account(server: Server, visitor: Visitor, alice: Account) -> None:
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.disable(db, alice, parts.clock.now()))


HERE: list[Trigger] = [
    signs_out_here,
    ends_the_session_on_the_account_page,
    somebody_else_signs_in_in_the_same_browser,
    operator_ends_the_session,
]
EVERYWHERE: list[Trigger] = [
    signs_out_everywhere,
    changes_the_password,
    operator_signs_the_account_out,
    operator_disables_the_account,
]


@pytest.mark.parametrize("trigger", HERE)
def test_end_of_a_session_is_told_with_the_session(
    server: Server, signed_in: Visitor, alice: Account, trigger: Trigger
) -> None:
    [sid] = sessions_of(server)
    trigger(server, signed_in, alice)
    [row] = ledger(server)
    assert (row.client_id, row.subject, row.session_id) == ("orders-web", alice.id, sid)
    assert (row.kind, row.state, row.due_at) == ("backchannel_logout", "waiting", row.created_at)


@pytest.mark.parametrize("trigger", EVERYWHERE)
def test_end_of_everything_is_told_once_and_names_no_session(
    server: Server,
    signed_in: Visitor,
    alice: Account,
    listening: App,
    make_visitor: Callable[..., Visitor],
    trigger: Trigger,
) -> None:
    phone = make_visitor(server)
    phone.sign_in("alice", PASSWORD)
    listening.exchange(phone, listening.code(phone))
    trigger(server, signed_in, alice)
    [row] = ledger(server)
    assert (row.client_id, row.subject, row.session_id) == ("orders-web", alice.id, None)


def test_app_that_needs_the_session_is_told_of_each(
    server: Server,
    make_app: MakeApp,
    receiver: Receiver,
    alice: Account,
    make_visitor: Callable[..., Visitor],
) -> None:
    app = make_app(
        backchannel_logout_uri=receiver.uri,
        backchannel_logout_session_required=True,
        id_token_signed_response_alg="ES256",
    )
    browsers = [make_visitor(server) for _ in range(3)]
    for browser in browsers:
        browser.sign_in("alice", PASSWORD)
        app.exchange(browser, app.code(browser))
    gone, *living = sessions_of(server)
    parts = server.capabilities
    parts.database.write(
        lambda db: parts.sign_out.here(db, [gone], now=parts.clock.now(), why="session.ended", by="operator")
    )
    assert [row.session_id for row in ledger(server)] == [gone]
    operator_signs_the_account_out(server, browsers[0], alice)
    told = sorted(str(row.session_id) for row in ledger(server))
    assert told == sorted([gone, *living])  # and not of the first one again


def test_everything_includes_what_an_app_does_without_its_person(
    server: Server, signed_in: Visitor, alice: Account, listening: App, clock: HandClock
) -> None:
    """A session that has ended long ago, and an app that goes on with offline access."""
    listening.exchange(signed_in, listening.code(signed_in, scope="openid offline_access"))
    signs_out_here(server, signed_in, alice)
    clock.advance(timedelta(hours=1))
    server.follow()
    operator_disables_the_account(server, signed_in, alice)
    assert [row.session_id is None for row in ledger(server)] == [True, False]


def test_signing_in_again_in_the_same_browser_tells_nobody(server: Server, signed_in: Visitor) -> None:
    signed_in.sign_in("alice", PASSWORD)
    assert ledger(server) == []


def test_apps_of_other_people_and_other_sessions_are_not_told(
    server: Server,
    signed_in: Visitor,
    alice: Account,
    listening: App,
    make_visitor: Callable[..., Visitor],
) -> None:
    add_account(server, "Bob")
    bob, phone = make_visitor(server), make_visitor(server)
    bob.sign_in("bob", PASSWORD)
    listening.exchange(bob, listening.code(bob))
    phone.sign_in("alice", PASSWORD)
    signs_out_here(server, phone, alice)
    assert ledger(server) == []
    signs_out_everywhere(server, signed_in, alice)
    assert [row.account_id for row in ledger(server)] == [alice.id]


def test_app_that_never_used_its_code_is_not_told(
    server: Server, visitor: Visitor, alice: Account, listening: App
) -> None:
    visitor.sign_in("alice", PASSWORD)
    listening.code(visitor)
    signs_out_here(server, visitor, alice)
    assert ledger(server) == []


def test_app_that_does_not_listen_is_not_told(
    server: Server, signed_in: Visitor, alice: Account, make_app: MakeApp
) -> None:
    deaf = make_app(client_id="deaf", id_token_signed_response_alg="ES256")
    deaf.exchange(signed_in, deaf.code(signed_in))
    signs_out_here(server, signed_in, alice)
    assert [row.client_id for row in ledger(server)] == ["orders-web"]


def test_app_is_told_once_however_often_it_asked(
    server: Server, signed_in: Visitor, alice: Account, listening: App
) -> None:
    for _ in range(3):
        listening.exchange(signed_in, listening.code(signed_in))
    signs_out_here(server, signed_in, alice)
    assert len(ledger(server)) == 1


def test_app_whose_tokens_were_revoked_is_told_all_the_same(
    server: Server, signed_in: Visitor, alice: Account, listening: App
) -> None:
    """It may have a session of its own still."""
    tokens = listening.exchange(signed_in, listening.code(signed_in)).json()
    signed_in.post("/oauth2/revoke", data={"token": tokens["refresh_token"]}, auth=listening.auth)
    signs_out_here(server, signed_in, alice)
    assert len(ledger(server)) == 1


def test_pairwise_app_hears_the_name_that_it_knows(
    server: Server, signed_in: Visitor, alice: Account, make_app: MakeApp, receiver: Receiver
) -> None:
    secretive = make_app(
        client_id="secretive",
        subject_type="pairwise",
        backchannel_logout_uri=receiver.uri,
        id_token_signed_response_alg="ES256",
    )
    secretive.exchange(signed_in, secretive.code(signed_in))
    signs_out_here(server, signed_in, alice)
    subjects = {row.client_id: row.subject for row in ledger(server)}
    [sub] = {
        held.subject
        for held in server.capabilities.database.read(
            lambda db: authorizations.of_session(db, str(ledger(server)[0].session_id))
        )
        if held.client_id == "secretive"
    }
    assert subjects == {"orders-web": alice.id, "secretive": sub}
    assert sub != alice.id


def test_logout_that_is_undone_tells_nobody(server: Server, signed_in: Visitor, alice: Account) -> None:
    parts = server.capabilities
    [sid] = sessions_of(server)

    def step(db: Connection) -> None:
        parts.sign_out.here(db, [sid], now=parts.clock.now(), why="session.ended", by="operator")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        parts.database.write(step)
    assert ledger(server) == []
    assert sessions_of(server) == [sid]


def test_second_logout_of_the_same_session_tells_nobody_again(
    server: Server, signed_in: Visitor, alice: Account
) -> None:
    signs_out_here(server, signed_in, alice)
    signs_out_here(server, signed_in, alice)
    assert len(ledger(server)) == 1


def test_app_is_told_of_a_session_that_outlived_its_tokens_by_weeks(
    server: Server, signed_in: Visitor, alice: Account, clock: HandClock
) -> None:
    """Rows of authorizations are purged; not while somebody would have to hear."""
    for _ in range(25):
        clock.advance(timedelta(days=1))
        server.follow()
        assert signed_in.post("/session/refresh", json={}).status_code == 200
    server.capabilities.maintenance.run()
    signs_out_here(server, signed_in, alice)
    assert len(ledger(server)) == 1


def test_ledger_is_purged_a_week_after_it_was_settled(
    server: Server, signed_in: Visitor, alice: Account, clock: HandClock
) -> None:
    signs_out_here(server, signed_in, alice)
    clock.advance(timedelta(days=8))
    maintenance = server.capabilities.maintenance
    assert maintenance.run().purged["deliveries"] == 0
    [row] = ledger(server)
    from authserver.deliveries import store

    server.capabilities.database.write(lambda db: store.delivered(db, row.id, now=clock.now()))
    assert maintenance.run().purged["deliveries"] == 1


def test_deleting_an_account_leaves_what_apps_have_to_hear(
    server: Server, signed_in: Visitor, alice: Account
) -> None:
    signs_out_everywhere(server, signed_in, alice)
    table = accounts.COLUMNS[0].table
    server.capabilities.database.write(lambda db: db.execute(table.delete().where(table.c.id == alice.id)))
    assert [row.subject for row in ledger(server)] == [alice.id]
