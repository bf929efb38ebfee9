"""GET /revocations: signed, in order, whole or in part, and no weapon against whoever publishes it."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.protocol.revocation import Kind
from authserver.published.readers import Position
from authserver.published.revocations import RevocationFeed
from authserver.resource.jws import parse_compact
from authserver.resource.revocation_set import Delta, Snapshot
from authserver.revocations import store
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor, ResourceService
from tests.attacks.watching import statements
from tests.clocks import HandClock
from tests.conftest import PASSWORD, MakeServer
from tests.visitor import Visitor

FEED = "/revocations"


def revoke(server: Server, *values: str, lasting: timedelta = timedelta(hours=1)) -> None:
    now = server.capabilities.clock.now()

    def step(db: Connection) -> None:
        for value in values:
            store.append(db, Kind.SID, value, now=now, expires_at=now + lasting)

    server.capabilities.database.write(step)
    server.follow()


@pytest.fixture
def service(server: Server, make_visitor: MakeVisitor) -> ResourceService:
    return ResourceService(server, make_visitor(server))


def test_a_snapshot_and_a_delta_are_good_by_the_published_keys_alone(
    server: Server, visitor: Visitor, service: ResourceService, clock: HandClock
) -> None:
    revoke(server, "a", "b", "c")
    whole, part = service.read(), service.read("?since=2")
    assert isinstance(whole, Snapshot)
    assert [entry.value for entry in whole.entries] == ["a", "b", "c"]
    assert isinstance(part, Delta)
    assert (part.since, part.sequence, [entry.value for entry in part.entries]) == (2, 3, ["c"])
    assert whole.mark == part.mark
    answer = visitor.get(FEED)
    assert answer.headers["content-type"] == "application/secevent+jwt"
    assert answer.headers["cache-control"] == "no-cache"
    header = parse_compact(answer.text).unverified_header
    assert (header["typ"], header["alg"]) == ("secevent+jwt", "RS256")


@SQLITE_ONLY
def test_nothing_new_is_an_empty_delta_and_the_future_is_a_snapshot(
    server: Server, service: ResourceService
) -> None:
    revoke(server, "a")
    now, future = service.read("?since=1"), service.read("?since=2")
    assert isinstance(now, Delta)
    assert now.entries == ()
    assert isinstance(future, Snapshot)
    assert len(future.entries) == 1


NO_SEQUENCES = [
    "since=",
    "since=-1",
    "since=x",
    "since=1.5",
    "since=1e3",
    "since=%D9%A1",
    "since=0x1",
    "since=1&since=2",
    "since=+1",
    "since=%00",
    "since=" + "9" * 19,
    "since=" + "9" * 5_000,
    "since=1%0d%0aX: y",
]


@SQLITE_ONLY
def test_a_sequence_that_is_none_is_the_readers_mistake(visitor: Visitor) -> None:
    for query in NO_SEQUENCES:
        answer = visitor.get(f"{FEED}?{query}")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), query[:40]


@SQLITE_ONLY
def test_other_parameters_change_nothing(visitor: Visitor) -> None:
    for query in ("", "x=1", "SINCE=1", "&" * 100, "a=1&" * 100):
        assert visitor.get(f"{FEED}?{query}").status_code == 200


@SQLITE_ONLY
def test_the_documents_moment_is_when_the_database_was_last_asked(
    server: Server, visitor: Visitor, clock: HandClock
) -> None:
    server.follow()
    asked_at = clock.now()
    clock.advance(10)
    with statements(server.capabilities.database) as seen:
        text = visitor.get(FEED).text
    assert seen == []
    claims = parse_compact(text).unverified_payload
    assert f'"iat":{int(asked_at.timestamp())}' in claims.decode().replace(" ", "")


@SQLITE_ONLY
def test_an_answer_is_signed_once_for_all_readers_of_one_moment(
    server: Server, visitor: Visitor, clock: HandClock
) -> None:
    first = visitor.get(FEED)
    server.follow()
    assert visitor.get(FEED).content == first.content
    assert visitor.get(FEED, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    clock.advance(1)
    server.follow()
    assert visitor.get(FEED).content != first.content


def test_an_entry_goes_when_the_last_token_it_concerns_has_expired(
    server: Server, visitor: Visitor, service: ResourceService, clock: HandClock
) -> None:
    revoke(server, "short", lasting=timedelta(minutes=5))
    revoke(server, "long")
    clock.advance(timedelta(minutes=5))
    server.follow()
    left = service.read()
    assert [entry.value for entry in left.entries] == ["long"]
    assert left.sequence == 2
    assert _rows_after_maintenance(server) == 2
    clock.advance(timedelta(days=1))
    assert _rows_after_maintenance(server) == 1


def _rows_after_maintenance(server: Server) -> int:
    server.maintain()
    rows = "SELECT count(*) FROM revocation"
    return int(server.capabilities.database.read(lambda db: db.exec_driver_sql(rows).scalar_one()))


def test_another_server_knows_of_a_sign_out_after_its_next_look(
    make_server: MakeServer, make_visitor: MakeVisitor, alice: Account
) -> None:
    one, other = make_server(), make_server()
    visitor = make_visitor(one)
    service = ResourceService(other, make_visitor(other))
    visitor.sign_in("alice", PASSWORD)
    token = visitor.cookie("__Host-access_token")
    assert service.accepts(token)
    visitor.post("/logout", json={})
    assert not service.accepts(token)


@SQLITE_ONLY
def test_readers_who_each_ask_for_another_part_of_a_long_list_cost_little_memory(server: Server) -> None:
    """Anybody may ask, for any `since`: each answer kept is nearly the whole list again."""
    revoke(server, *(f"{number:022}" for number in range(2_000)))
    feed = RevocationFeed(server.settings.issuer, "RS256", server.keyring, server.revocations)
    whole = len(feed.tell(None).answer.whole[1]["body"])
    for since in range(60):
        feed.tell(Position(since, None))
    kept = sum(len(each.answer.whole[1]["body"]) for each in feed._deltas.answers.values())
    assert kept <= 4 * whole
