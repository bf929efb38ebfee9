"""From the sign-in to the status, on both databases, read by a verifier that is not ours."""

from collections.abc import Callable

import pytest

from authserver.accounts.passwords import prepare
from authserver.accounts.store import Account
from authserver.app import Server
from authserver.capabilities import Capabilities
from authserver.resource.jws import parse_compact
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.watching import statements
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, MakeServer, add_account
from tests.status_lists.reader import StatusReader
from tests.visitor import Visitor

TOKEN = "__Host-access_token"
SESSION = "__Host-session"
Change = Callable[[Server, Visitor, Account], object]


def token(visitor: Visitor) -> str:
    found = visitor.cookie(TOKEN)
    assert found is not None
    return found


def refreshed(visitor: Visitor) -> str:
    assert visitor.post("/session/refresh", json={}).status_code == 200
    return token(visitor)


def operator(change: Callable[[Capabilities, Account], Callable[..., object]]) -> Change:
    def run(server: Server, _visitor: Visitor, account: Account) -> None:
        parts = server.capabilities
        step = change(parts, account)
        parts.database.write(lambda db: step(db, parts.clock.now()) and None)

    return run


def sign_out(_server: Server, visitor: Visitor, _account: Account) -> None:
    assert visitor.post("/logout", json={}).status_code in {200, 204}


def new_password(parts: Capabilities, account: Account) -> Callable[..., object]:
    made = parts.hasher.hash(prepare("quartz lantern otter brisk"))
    return lambda db, now: parts.consequences.change_password(db, account, made, now, "operator")


def no_roles(parts: Capabilities, account: Account) -> Callable[..., object]:
    return lambda db, now: parts.consequences.set_roles(db, account, (), now)


ENDS: dict[str, Change] = {
    "signed out": sign_out,
    "signed out by the operator": operator(
        lambda parts, account: lambda db, now: parts.consequences.sign_out(db, account, now)
    ),
    "account disabled": operator(
        lambda parts, account: lambda db, now: parts.consequences.disable(db, account, now)
    ),
    "password changed": operator(new_password),
    "role removed": operator(no_roles),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_whatever_ends_a_token_sets_its_bit_and_no_other(
    server: Server,
    visitor: Visitor,
    make_visitor: MakeVisitor,
    reader: StatusReader,
    alice: Account,
    end: Change,
) -> None:
    add_account(server, "Bob")
    bob = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    bob.sign_in("bob", PASSWORD)
    one, other = token(visitor), token(bob)
    assert (reader.status(one), reader.status(other)) == (0, 0)
    end(server, visitor, alice)
    assert (reader.status(one), reader.status(other)) == (1, 0)


def test_tokens_of_one_session_share_an_index_and_sessions_do_not(
    server: Server, visitor: Visitor, make_visitor: MakeVisitor, reader: StatusReader, alice: Account
) -> None:
    elsewhere = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    elsewhere.sign_in("alice", PASSWORD)
    one, later, other = token(visitor), refreshed(visitor), token(elsewhere)
    assert reader.reference(one) == reader.reference(later) != reader.reference(other)
    assert reader.reference(one)["uri"] == f"{ISSUER}/status-lists/0"
    sign_out(server, visitor, alice)
    assert [reader.status(each) for each in (one, later, other)] == [1, 1, 0]


def give_roles(server: Server, account: Account, roles: tuple[str, ...]) -> None:
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.set_roles(db, account, roles, parts.clock.now()))


def test_after_a_role_was_taken_the_session_goes_on_under_another_index(
    server: Server, visitor: Visitor, reader: StatusReader, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    tokens = [token(visitor)]
    for roles in (("staff",), ()):
        give_roles(server, alice, roles)
        clock.advance(1)
        tokens.append(refreshed(visitor))
    assert [reader.status(each) for each in tokens] == [1, 1, 0]
    assert len({reader.reference(each)["idx"] for each in tokens}) == 3
    assert reader.reference(refreshed(visitor)) == reader.reference(tokens[-1]), "kept from then on"
    sign_out(server, visitor, alice)
    assert [reader.status(each) for each in tokens] == [1, 1, 1]


def test_a_role_that_is_given_ends_no_status(
    server: Server, visitor: Visitor, reader: StatusReader, alice: Account, clock: HandClock
) -> None:
    visitor.sign_in("alice", PASSWORD)
    before = token(visitor)
    more = (*alice.roles, "auditor")
    give_roles(server, alice, more)
    assert reader.status(before) == 0
    assert reader.reference(refreshed(visitor)) == reader.reference(before)


def test_a_sign_out_on_one_server_is_in_the_list_of_another(
    server: Server, make_server: MakeServer, make_visitor: MakeVisitor, visitor: Visitor, alice: Account
) -> None:
    other = make_server(status_list=True)
    elsewhere = StatusReader(other, make_visitor(other))
    visitor.sign_in("alice", PASSWORD)
    before = token(visitor)
    assert elsewhere.status(before) == 0
    sign_out(server, visitor, alice)
    assert elsewhere.status(before) == 1


def test_a_bit_outlives_the_session_and_the_account(
    server: Server, make_server: MakeServer, make_visitor: MakeVisitor, visitor: Visitor, alice: Account
) -> None:
    visitor.sign_in("alice", PASSWORD)
    before = token(visitor)
    sign_out(server, visitor, alice)
    gone = f"DELETE FROM account WHERE id = '{alice.id}'"
    assert server.capabilities.database.write(lambda db: db.exec_driver_sql(gone).rowcount) == 1
    other = make_server(status_list=True)
    assert StatusReader(other, make_visitor(other)).status(before) == 1


@SQLITE_ONLY
def test_a_session_that_began_before_the_setting_is_given_an_index_with_its_next_token(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    before, after = make_server(), make_server(status_list=True)
    add_account(before, "Alice")
    visitor, later = make_visitor(before), make_visitor(after)
    visitor.sign_in("alice", PASSWORD)
    assert "status" not in claims_of(token(visitor))
    later.http.cookies.update(visitor.http.cookies)
    reader = StatusReader(after, make_visitor(after))
    renewed = refreshed(later)
    assert reader.status(renewed) == 0
    assert reader.reference(refreshed(later)) == reader.reference(renewed)
    later.post("/logout", json={})
    assert reader.status(renewed) == 1


@SQLITE_ONLY
def test_a_session_that_outlives_the_setting_has_tokens_without_a_status(
    server: Server, make_server: MakeServer, make_visitor: MakeVisitor, visitor: Visitor, alice: Account
) -> None:
    """It would name a list that nobody publishes any more."""
    visitor.sign_in("alice", PASSWORD)
    assert "status" in claims_of(token(visitor))
    later = make_visitor(make_server())
    later.http.cookies.update(visitor.http.cookies)
    assert "status" not in claims_of(refreshed(later))


def claims_of(found: str) -> str:
    return parse_compact(found).unverified_payload.decode()


def cost(server: Server, visitor: Visitor, name: str) -> dict[str, list[str]]:
    add_account(server, name)
    asked: dict[str, Callable[[], object]] = {
        "sign in": lambda: visitor.sign_in(name.lower(), PASSWORD),
        "refresh": lambda: refreshed(visitor),
        "sign out": lambda: visitor.post("/logout", json={}),
    }
    cost = {}
    for what, ask in asked.items():
        with statements(server.capabilities.database) as seen:
            ask()
        cost[what] = list(seen)
    return cost


@SQLITE_ONLY
def test_it_costs_one_statement_at_sign_in_and_nothing_where_it_is_off(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    off, on = make_server(), make_server(status_list=True)
    without, with_lists = cost(off, make_visitor(off), "Alice"), cost(on, make_visitor(on), "Bob")
    more = {what: len(with_lists[what]) - len(without[what]) for what in without}
    assert more == {"sign in": 1, "refresh": 0, "sign out": 0}
    assert not [each for seen in without.values() for each in seen if "INTO status_index" in each]


@SQLITE_ONLY
def test_where_it_is_off_there_is_no_claim_no_list_and_no_word_of_it(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    server = make_server()
    add_account(server, "Alice", roles=("staff",))
    visitor = make_visitor(server)
    visitor.sign_in("alice", PASSWORD)
    assert "status" not in claims_of(token(visitor))
    assert {visitor.get(path).status_code for path in ("/status-lists", "/status-lists/0")} == {404}
    metadata = visitor.get("/.well-known/oauth-authorization-server").json()
    assert not [name for name in metadata if "status" in name]
    server.live.sign_status_lists()


@SQLITE_ONLY
def test_a_status_takes_little_of_a_cookies_room(visitor: Visitor, alice: Account) -> None:
    """A browser keeps no cookie beyond 4096 bytes."""
    visitor.sign_in("alice", PASSWORD)
    assert len(token(visitor)) < 1_000
