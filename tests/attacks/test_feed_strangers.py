"""What anybody may send to the feed and to /verify, and what it may cost: the time and memory of one request."""

from contextlib import AsyncExitStack
from datetime import timedelta
from time import perf_counter

import pytest
from sqlalchemy import Connection
from starlette.types import Message

from authserver.app import Server
from authserver.protocol import paths
from authserver.protocol.revocation import Kind
from authserver.published.delivery import Delivery
from authserver.published.kept import Told
from authserver.published.pace import PIECE
from authserver.published.readers import Position
from authserver.published.revocations import LARGE, LONGEST_DELTA, MOST_DELTAS, UNAVAILABLE, RevocationFeed
from authserver.revocations import store
from authserver.web.forwarded import MOST_HEADERS
from tests.attacks.bare_request import send
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.published.streams import StreamReader, scope_of, told, values

pytestmark = SQLITE_ONLY


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def feed(server: Server) -> RevocationFeed:
    return RevocationFeed(server.settings.issuer, "ES256", server.keyring, server.revocations)


def revoke(server: Server, *listed: str) -> None:
    now = server.capabilities.clock.now()

    def step(db: Connection) -> None:
        for value in listed:
            store.append(db, Kind.SID, value, now=now, expires_at=now + timedelta(days=30))

    server.capabilities.database.write(step)
    server.follow()


def many(number: int, name: str = "session") -> tuple[str, ...]:
    return tuple(f"{name}-{each:06}" for each in range(number))


def here(found: Told) -> Position:
    assert found.position is not None
    return found.position


def token(found: Told) -> str:
    return str(found.answer.whole[1]["body"].decode())


FORWARDED = (
    (b"x-forwarded-method", b"GET"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"app.example.com"),
    (b"x-forwarded-uri", b"/"),
)


def test_so_many_headers_are_no_description_of_a_request(server: Server) -> None:
    room = MOST_HEADERS - len(FORWARDED) - 1
    answers = [
        send(server, "GET", "/verify", *FORWARDED, *[(b"a", b"b")] * number).status
        for number in (room, room + 1)
    ]
    assert answers == [401, 431]


def test_forty_thousand_headers_cost_verify_nothing(server: Server) -> None:
    began = perf_counter()
    assert send(server, "GET", "/verify", *FORWARDED, *[(b"a", b"b")] * 40_000).status == 431
    assert perf_counter() - began < 0.5


@pytest.mark.parametrize("query", [b"a&" * 30_000, b"&" * 101, b"a" * 8_193])
@pytest.mark.parametrize(
    "path", [paths.REVOCATIONS, paths.REVOCATION_STREAM, "/login", "/verify", "/nowhere"]
)
def test_a_long_query_is_refused_before_anybody_takes_it_apart(
    server: Server, path: str, query: bytes
) -> None:
    answers = [send(server, method, path, query=query) for method in ("GET", "POST", "HEAD")]
    assert [answer.status for answer in answers] == [414] * 3
    assert [bool(answer.body) for answer in answers] == [True, True, False]


@pytest.mark.anyio
async def test_a_long_list_is_handed_to_a_stream_in_pieces_that_its_buffer_can_refuse(
    server: Server,
) -> None:
    """One piece of ten megabytes is ten megabytes of memory for each reader who takes none of it."""
    revoke(server, *many(LARGE + 1))
    sent: list[bytes] = []
    async with StreamReader(server) as reader:
        while not b"".join(sent).endswith(b"\n\n") or b"data:" not in b"".join(sent):
            sent.append(await reader.piece())
    assert len(b"".join(sent)) > 2 * PIECE
    assert max(map(len, sent)) <= PIECE + 100
    [data] = [line for line in b"".join(sent).split(b"\n") if line.startswith(b"data: ")]
    assert len(values(told(data.removeprefix(b"data: ").decode()))) == LARGE + 1


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_long_list_is_answered_in_pieces_as_well(server: Server, method: str) -> None:
    revoke(server, *many(LARGE))
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError

    async def keep(message: Message) -> None:
        sent.append(message)

    await server({**scope_of(paths.REVOCATIONS), "method": method}, receive, keep)
    start, *bodies = sent
    length = int(dict(start["headers"])[b"content-length"])
    assert sum(len(body["body"]) for body in bodies) == (length if method == "GET" else 0)
    assert max(len(body["body"]) for body in bodies) <= PIECE
    assert [body.get("more_body", False) for body in bodies] == [True] * (len(bodies) - 1) + [False]


def test_a_reader_stands_where_the_kept_list_ends(server: Server, feed: RevocationFeed) -> None:
    """Else it never hears of what came between that list and the place where it is thought to stand."""
    revoke(server, *many(LARGE + 1))
    feed.tell(None)
    revoke(server, "late")
    kept = feed.tell(None)
    assert told(token(kept))["sequence"] == here(kept).sequence == LARGE + 1
    assert feed.has_news_for(here(kept))
    assert values(told(token(feed.tell(here(kept))))) == ["late"]


def test_a_kept_list_leads_on_by_one_delta_or_is_kept_no_longer(server: Server, feed: RevocationFeed) -> None:
    """A reader that is told a list from which only the list leads on is told it again and again."""
    revoke(server, *many(LARGE + 1))
    kept = feed.tell(None)
    revoke(server, *many(LONGEST_DELTA, "more"))
    assert here(feed.tell(None)) == here(kept)
    revoke(server, "one more")
    anew = feed.tell(here(kept))
    assert here(anew).sequence == here(kept).sequence + LONGEST_DELTA + 1


def test_after_a_rotation_a_long_list_is_long_work_again(
    server: Server, feed: RevocationFeed, clock: HandClock
) -> None:
    clock.advance(timedelta(days=3))
    revoke(server, *many(LARGE + 1))
    assert feed.is_long_work(None)
    feed.prepare()
    assert not feed.is_long_work(None)
    before = server.keyring.signer("ES256").kid
    server.capabilities.rotation.rotate("ES256")
    server.follow()
    assert server.keyring.signer("ES256").kid != before
    assert feed.is_long_work(None)


def everywhere(feed: RevocationFeed, first: int, last: int) -> list[Told]:
    return [feed.tell(Position(sequence, None)) for sequence in range(first, last)]


def test_whoever_asks_from_everywhere_is_told_the_same_list_as_everybody(
    server: Server, feed: RevocationFeed, clock: HandClock
) -> None:
    revoke(server, *many(LARGE))
    answers = everywhere(feed, 1, 200)
    assert len({token(answer) for answer in answers}) == MOST_DELTAS + 1
    assert answers[-1].answer is feed.tell(None).answer
    clock.advance(1)
    server.follow()
    assert told(token(feed.tell(Position(500, None))))["since"] == 500, (
        "the next second has a budget of its own"
    )


def test_a_flood_from_everywhere_takes_nothing_from_those_who_follow(
    server: Server, feed: RevocationFeed, clock: HandClock
) -> None:
    """They stand where the list ended a moment ago, or where the kept snapshot ends; nobody can use up these."""
    revoke(server, *many(LARGE + 1))
    began = here(feed.tell(None))
    follower = here(feed.tell(Position(LARGE + 1, None)))
    for number in range(5):
        revoke(server, f"late-{number}")
        everywhere(feed, 1, 100)
        following = told(token(feed.tell(follower)))
        assert (following["since"], values(following)) == (follower.sequence, [f"late-{number}"])
        follower = Position(following["sequence"], following["mark"])
    beginner = told(token(feed.tell(began)))
    assert (beginner["since"], len(beginner["entries"])) == (LARGE + 1, 5)


def test_nobody_is_told_a_list_that_is_older_than_what_he_knows(
    server: Server, feed: RevocationFeed, clock: HandClock
) -> None:
    """A guard refuses to go back, so this would be no answer; one who waits a moment gets one that leads on."""
    revoke(server, *many(LARGE + 1))
    feed.tell(None)
    revoke(server, *many(100, "more"))
    between = Position(LARGE + 50, None)
    everywhere(feed, LARGE - MOST_DELTAS, LARGE)
    refused = feed.tell(between)
    assert (refused.answer, refused.position) == (UNAVAILABLE, between)
    clock.advance(5)
    server.follow()
    everywhere(feed, LARGE - MOST_DELTAS, LARGE)
    assert feed.is_long_work(between)
    feed.prepare()
    assert here(feed.tell(between)).sequence == LARGE + 101


def report(server: Server, address: str, service: str, instance: str) -> int:
    body = (
        f'{{"service":"{service}","instance":"{instance}","sequence":1,"mark":"m","kids":[],"by":"poll"}}'
    ).encode()
    message: Message = {"type": "http.request", "body": body, "more_body": False}
    kind = (b"content-type", b"application/json")
    return send(server, "POST", paths.HEARD, kind, address=address, messages=(message,)).status


def test_one_network_of_ipv6_takes_the_room_of_one_address(server: Server) -> None:
    """A customer has at least a /64: as many addresses as he likes."""
    server.services._most = 20
    for number in range(5):
        assert report(server, "203.0.113.5", "orders", f"own-{number}") == 204
    for number in range(60):
        report(server, f"2001:db8:0:1::{number:x}", "x", f"made-up-{number}")
    heard = [service for service, _ in server.services._callers]
    assert (heard.count("orders"), heard.count("x")) == (5, 15)


@pytest.mark.anyio
async def test_one_network_cannot_take_every_place_of_the_readers(
    server: Server, feed: RevocationFeed
) -> None:
    revoke(server)
    small = Delivery(feed, server.revocations, server.news, most=8)
    async with AsyncExitStack() as stack:
        flood = [StreamReader(small.stream, address=f"2001:db8::{number}") for number in range(8)]
        for reader in flood:
            await stack.enter_async_context(reader)
        other = await stack.enter_async_context(StreamReader(small.stream, address="203.0.113.5"))
        await other.event()
        assert [reader.start["status"] for reader in flood] == [200] * 4 + [503] * 4
    assert small.waiting == 0
