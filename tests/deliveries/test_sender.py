"""From the logout to the app: the token, the retries, and who sends."""

from datetime import timedelta
from functools import partial

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from authserver.clients.store import Client
from authserver.database import Database
from authserver.deliveries import store
from authserver.deliveries.sender import LEASE, Sender
from authserver.deliveries.store import ToTell
from tests.clocks import HandClock
from tests.conftest import ISSUER, MakeServer
from tests.deliveries.conftest import EVENT, Receiver, ledger, send_all, sender_of, sessions_of
from tests.visitor import Visitor


def test_logout_token_says_who_is_signed_out_of_what(
    server: Server, sender: Sender, signed_in: Visitor, receiver: Receiver, alice: Account
) -> None:
    sid = sessions_of(server)[0]
    signed_in.post("/logout", json={})
    assert send_all(sender) == 1
    [token] = receiver.tokens(server)
    assert token.header["typ"] == "logout+jwt"
    now = int(server.capabilities.clock.now().timestamp())
    jti = token.claims.pop("jti")
    assert len(str(jti)) == 22
    assert token.claims == {
        "iss": ISSUER,
        "aud": "orders-web",
        "iat": now,
        "exp": now + 120,
        "events": {EVENT: {}},
        "sub": alice.id,
        "sid": sid,
    }


def test_app_that_has_heard_is_left_alone(
    server: Server, sender: Sender, signed_in: Visitor, receiver: Receiver, clock: HandClock
) -> None:
    receiver.status = 204
    signed_in.post("/logout", json={})
    assert send_all(sender) == 1
    clock.advance(timedelta(days=1))
    assert send_all(sender) == 0
    [row] = ledger(server)
    assert (row.state, row.due_at, row.attempts, row.last_error) == ("delivered", None, 1, None)


def test_app_that_is_down_is_tried_again_and_hears_when_it_is_up(
    server: Server, sender: Sender, signed_in: Visitor, receiver: Receiver, clock: HandClock
) -> None:
    receiver.close()
    signed_in.post("/logout", json={})
    assert send_all(sender) == 1
    [row] = ledger(server)
    assert (row.state, row.last_error) == ("waiting", "no_connection")
    assert send_all(sender) == 0
    receiver.open()
    clock.advance(1.0)
    server.follow()
    assert send_all(sender) == 1
    assert ledger(server)[0].state == "delivered"


def test_pauses_grow_and_a_day_later_it_is_given_up(
    server: Server, sender: Sender, signed_in: Visitor, receiver: Receiver, clock: HandClock
) -> None:
    receiver.status = 503
    signed_in.post("/logout", json={})
    began, pauses = clock.now(), []
    send_all(sender)
    while (due_at := ledger(server)[0].due_at) is not None:
        pauses.append((due_at - clock.now()).total_seconds())
        clock.advance(due_at - clock.now())
        server.follow()
        send_all(sender)
    [row] = ledger(server)
    assert pauses[:7] == [1, 5, 30, 120, 600, 3_600, 3_600]
    assert (row.state, row.last_error, row.dead_at) == ("given up", "http_503", clock.now())
    assert timedelta(hours=22) < clock.now() - began < timedelta(days=1)
    clock.advance(timedelta(days=2))
    assert send_all(sender) == 0


def test_each_attempt_has_a_token_of_its_own(
    server: Server, sender: Sender, signed_in: Visitor, receiver: Receiver, clock: HandClock
) -> None:
    receiver.status = 500
    signed_in.post("/logout", json={})
    send_all(sender)
    clock.advance(1.0)
    server.follow()
    send_all(sender)
    first, second = (token.claims for token in receiver.tokens(server))
    assert first["jti"] != second["jti"]
    assert second["iat"] == first["iat"] + 1


def test_redirect_is_not_followed(
    server: Server, sender: Sender, signed_in: Visitor, receiver: Receiver
) -> None:
    receiver.status = 307
    signed_in.post("/logout", json={})
    send_all(sender)
    assert ledger(server)[0].last_error == "http_307"


def test_two_servers_never_send_the_same_row_at_once(
    server: Server, signed_in: Visitor, receiver: Receiver
) -> None:
    """Both see it due, both want it: one gets it."""
    signed_in.post("/logout", json={})
    ours, theirs = sender_of(server), sender_of(server)
    receiver.before_answer = lambda: seen.append(len(theirs.claim(10, under_way={}, each=10)))
    seen: list[int] = []
    assert send_all(ours) == 1
    assert seen == [0]
    assert len(receiver.forms) == 1


def test_row_of_a_server_that_was_killed_is_sent_by_another(
    server: Server, signed_in: Visitor, receiver: Receiver, clock: HandClock
) -> None:
    signed_in.post("/logout", json={})
    killed, other = sender_of(server), sender_of(server)
    assert len(killed.claim(10, under_way={}, each=10)) == 1
    assert send_all(other) == 0
    clock.advance(LEASE)
    server.follow()
    assert send_all(other) == 1
    assert len(receiver.forms) == 1
    assert ledger(server)[0].attempts == 2


def test_failure_of_a_late_sender_does_not_undo_what_another_delivered(
    server: Server, signed_in: Visitor, receiver: Receiver, clock: HandClock
) -> None:
    signed_in.post("/logout", json={})
    late, other = sender_of(server), sender_of(server)
    [held] = late.claim(10, under_way={}, each=10)
    clock.advance(LEASE)
    server.follow()
    send_all(other)
    receiver.status = 500
    late.deliver(held)
    assert ledger(server)[0].state == "delivered"


def test_app_without_an_address_any_more_is_tried_no_further_than_that(
    server: Server, sender: Sender, signed_in: Visitor, receiver: Receiver
) -> None:
    signed_in.post("/logout", json={})
    change(server, backchannel_logout_uri=None)
    send_all(sender)
    assert ledger(server)[0].last_error == "no_uri"
    assert receiver.forms == []


def test_refused_address_is_never_connected_to(
    server: Server, signed_in: Visitor, receiver: Receiver
) -> None:
    """As it runs in production: what was registered leads to this machine, and stays unsent."""
    signed_in.post("/logout", json={})
    change(server, backchannel_logout_uri=f"https://localhost:{receiver.port}/")
    send_all(server.sender)
    assert ledger(server)[0].last_error == "refused_address"


def change(server: Server, **columns: object) -> None:
    server.capabilities.database.write(lambda db: clients.change(db, "orders-web", **columns))


def test_of_two_who_saw_the_same_row_due_one_claims_it(
    server: Server, signed_in: Visitor, clock: HandClock
) -> None:
    signed_in.post("/logout", json={})
    database, until = server.capabilities.database, clock.now() + LEASE
    seen = [database.read(lambda db: store.due(db, now=clock.now(), limit=9)) for _ in range(2)]
    assert seen[0] == seen[1]
    wanted = [(row, due_at) for row, _, due_at in seen[0]]
    won = [database.write(lambda db: store.claim(db, wanted, until=until)) for _ in range(2)]
    assert [len(claimed) for claimed in won] == [1, 0]


def test_token_is_signed_as_the_app_registered_it(
    make_server: MakeServer,
    clock: HandClock,
    receiver: Receiver,
    database: Database,
) -> None:
    """The server signs by RS256, this app wants ES256; and one that wants what is not there has to wait."""
    server = make_server(signing_algorithms=("RS256", "ES256"))
    now, whom = clock.now(), []
    for name, algorithm in (("modern", "ES256"), ("usual", "RS256"), ("odd", "PS256")):
        client = Client(
            client_id=name,
            client_name=name,
            backchannel_logout_uri=receiver.uri,
            id_token_signed_response_alg=algorithm,
            registered_by="operator",
            created_at=now,
        )
        database.write(partial(clients.add, made=client))
        whom.append(ToTell(name, "a" * 22, None, "a" * 22))
    database.write(lambda db: store.add(db, "backchannel_logout", whom, now=now, gives_up_at=now + LEASE))
    send_all(sender_of(server))
    algorithms = {token.claims["aud"]: token.header["alg"] for token in receiver.tokens(server)}
    assert algorithms == {"modern": "ES256", "usual": "RS256"}
    [odd] = [row for row in ledger(server) if row.client_id == "odd"]
    assert (odd.state, odd.last_error) == ("waiting", "cannot_sign")
