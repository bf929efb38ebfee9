"""The feed, pushed: news at once, one task for each reader, and no buffer that grows."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection
from starlette.types import Message

from authserver.app import Server
from authserver.protocol import paths
from authserver.protocol.revocation import Kind
from authserver.published import delivery, pace
from authserver.published.delivery import Delivery, Looks
from authserver.published.revocations import MOST_RESETS, RevocationFeed
from authserver.revocations import store
from authserver.revocations.live import LiveRevocations
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import MakeServer
from tests.published.streams import StreamReader, scope_of, told, values
from tests.visitor import Visitor

pytestmark = [SQLITE_ONLY, pytest.mark.anyio]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def append(server: Server, *listed: str) -> None:
    now = server.capabilities.clock.now()

    def step(db: Connection) -> None:
        for value in listed:
            store.append(db, Kind.SID, value, now=now, expires_at=now + timedelta(hours=1))

    server.capabilities.database.write(step)


async def revoke(server: Server, *listed: str) -> None:
    append(server, *listed)
    server.follow()
    await server.feed.tell_news()


def place(server: Server) -> str:
    known = server.revocations.known
    assert known is not None
    return f"since={known.head.sequence}&mark={known.head.mark}"


def restore(server: Server, sequence: int) -> None:
    """As if the database were one of an earlier day that then went its own way."""

    def step(db: Connection) -> None:
        db.exec_driver_sql(f"DELETE FROM revocation WHERE sequence > {sequence}")
        db.exec_driver_sql(f"UPDATE revocation_head SET sequence = {sequence}, mark = 'another-day'")

    server.capabilities.database.write(step)


async def ask(server: Server, query: str) -> tuple[int, bytes]:
    """GET /revocations, from a reader that stays until it is answered."""
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    await server(scope_of(paths.REVOCATIONS, query), receive, send)
    return sent[0]["status"], sent[1]["body"]


async def hear(server: Server, query: str) -> dict[str, Any]:
    status, body = await ask(server, query)
    assert status == 200, body
    return told(body.decode())


async def _begun() -> None:
    """Let a task run until it waits for news: a handful of turns of the loop, and none of them real time."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_stream_goes_on_from_where_its_reader_stands(server: Server) -> None:
    await revoke(server, "a", "b")
    async with StreamReader(server, place(server)) as reader:
        first = await reader.event()
        assert (first["since"], first["sequence"], first["entries"], first["id"]) == (2, 2, [], "2")
        await revoke(server, "c")
        second = await reader.event()
        assert (second["since"], second["since_mark"], second["id"]) == (2, first["mark"], "3")
        assert values(second) == ["c"]
    headers = dict(reader.start["headers"])
    assert headers[b"content-type"] == b"text/event-stream"
    assert headers[b"x-accel-buffering"] == b"no"


async def test_a_stream_without_a_place_begins_with_the_whole_list(server: Server) -> None:
    await revoke(server, "a", "b")
    async with StreamReader(server) as reader:
        first = await reader.event()
        assert "since" not in first
        assert values(first) == ["a", "b"]


async def test_a_browsers_reconnection_goes_on_after_its_last_event(server: Server) -> None:
    await revoke(server, "a", "b")
    async with StreamReader(server, "since=0", last_event_id="1") as reader:
        assert values(await reader.event()) == ["b"]


async def test_a_reader_who_takes_nothing_gets_one_delta_of_everything_afterwards(server: Server) -> None:
    await revoke(server)
    async with StreamReader(server, place(server)) as reader:
        await reader.event()
        reader.stall()
        for number in range(40):
            await revoke(server, str(number))
        waited = reader.unread
        reader.go_on()
        heard = values(await reader.event())
        while len(heard) < 40:
            heard += values(await reader.event())
        assert heard == [str(number) for number in range(40)]
        assert waited + reader.unread <= 2


async def test_a_reader_who_takes_nothing_for_long_is_let_go(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "SLOWEST", 0.01)
    await revoke(server)
    async with StreamReader(server, place(server)) as reader:
        await reader.event()
        reader.stall()
        await revoke(server, "a")
        await asyncio.wait_for(reader.task, 5)
        assert server.feed.waiting == 0
        assert not reader.ended


async def test_streams_end_when_the_server_stops(server: Server) -> None:
    await revoke(server)
    async with StreamReader(server, place(server)) as reader:
        await reader.event()
        server.news.end()
        await asyncio.wait_for(reader.task, 5)
    assert reader.ended


async def test_a_reader_who_went_away_is_forgotten(server: Server) -> None:
    await revoke(server)
    async with StreamReader(server, place(server)) as reader:
        await reader.event()
        assert server.feed.waiting == 1
    assert server.feed.waiting == 0


async def test_a_silent_stream_is_confirmed_at_each_heartbeat(server: Server, clock: HandClock) -> None:
    await revoke(server, "a")
    async with StreamReader(server, place(server) + "&heartbeat=1") as reader:
        await reader.event()
        clock.advance(2)
        server.follow()
        again = await reader.event()
        assert (again["since"], again["sequence"], again["entries"]) == (1, 1, [])


async def test_a_server_that_is_full_says_so(server: Server) -> None:
    feed = RevocationFeed(server.settings.issuer, "RS256", server.keyring, server.revocations)
    small = Delivery(feed, server.revocations, server.news, most=1)
    async with StreamReader(small.stream, place(server)) as first:
        await first.event()
        async with StreamReader(small.stream, place(server)) as second:
            await asyncio.wait_for(second.task, 5)
        assert (second.start["status"], dict(second.start["headers"])[b"retry-after"]) == (503, b"1")


async def test_a_position_that_another_server_told_is_looked_up_before_it_is_doubted(
    make_server: MakeServer,
) -> None:
    one, other = make_server(), make_server()
    append(one, "a", "b")
    one.follow()
    found = await hear(other, place(one))
    assert (found["since"], found["sequence"]) == (2, 2)


async def test_a_position_of_a_history_that_is_gone_is_reset_and_the_stream_begins_anew(
    server: Server,
) -> None:
    await revoke(server, "a", "b", "c")
    lost = place(server)
    async with StreamReader(server, lost) as reader:
        held = await reader.event()
        restore(server, 1)
        server.follow()
        await server.feed.tell_news()
        reset, whole = await reader.event(), await reader.event()
    assert reset["reset"] == {"since": 3, "mark": held["mark"]}
    assert (whole["sequence"], values(whole), "since" in whole) == (1, ["a"], False)
    assert (await hear(server, lost))["reset"] == reset["reset"]


async def test_the_same_number_in_another_history_gets_the_whole_list(server: Server) -> None:
    await revoke(server, "a", "b")
    before = place(server)
    restore(server, 1)
    await revoke(server, "other")
    found = await hear(server, before)
    assert "since" not in found
    assert values(found) == ["a", "other"]


async def test_a_future_without_a_mark_gets_the_whole_list(server: Server) -> None:
    await revoke(server, "a")
    found = await hear(server, "since=9")
    assert "since" not in found
    assert "reset" not in found


async def test_invented_positions_do_not_keep_the_signer_busy(server: Server) -> None:
    answers = [await ask(server, f"since={number}&mark=x") for number in range(1, MOST_RESETS + 5)]
    assert [status for status, _ in answers].count(503) == 4


async def test_a_long_poll_answers_when_there_is_news(server: Server) -> None:
    await revoke(server, "a")
    waiting = asyncio.ensure_future(hear(server, place(server) + "&wait=30"))
    await _begun()
    assert server.feed.waiting == 1
    await revoke(server, "b")
    assert values(await waiting) == ["b"]
    assert server.feed.waiting == 0


async def test_a_long_poll_of_a_reader_who_is_behind_does_not_wait(server: Server) -> None:
    await revoke(server, "a")
    behind = place(server)
    await revoke(server, "b")
    assert values(await asyncio.wait_for(hear(server, behind + "&wait=30"), 5)) == ["b"]


async def test_a_long_poll_without_a_mark_waits_as_well(server: Server) -> None:
    await revoke(server, "a")
    found = await hear(server, "since=1&wait=1")
    assert (found["since"], found["entries"]) == (1, [])


async def test_while_the_database_is_away_a_stream_says_nothing_signed(
    server: Server, clock: HandClock
) -> None:
    await revoke(server, "a")
    async with StreamReader(server, place(server) + "&heartbeat=1") as reader:
        await reader.event()
        clock.advance(31)  # half the clock skew: the keyring was not confirmed
        assert await reader.comment() == delivery.SILENCE
        assert (await ask(server, "since=9&mark=x"))[0] == 503


async def test_readers_who_claim_more_than_we_know_share_one_look(server: Server) -> None:
    class Counting(LiveRevocations):
        looks = 0

        def refresh(self) -> bool:
            self.looks += 1
            return super().refresh()

    live = Counting(server.capabilities.database, server.capabilities.clock)
    looks = Looks(live)
    await asyncio.gather(*(looks.one_from_now() for _ in range(50)))
    assert live.looks == 1


async def test_a_look_that_had_begun_before_the_question_is_no_answer_to_it(server: Server) -> None:
    looks = Looks(server.revocations)
    first = asyncio.ensure_future(looks.one_from_now())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    append(server, "late")
    await looks.one_from_now()
    known = server.revocations.known
    assert known is not None
    assert known.head.sequence == 1
    await first


BAD = ["mark=", "mark=a b", "mark=" + "x" * 65, "wait=-1", "wait=x", "heartbeat=1.5", "wait=1&wait=2"]


@pytest.mark.parametrize("path", [paths.REVOCATIONS, paths.REVOCATION_STREAM])
def test_a_question_that_is_none_is_the_readers_mistake(visitor: Visitor, path: str) -> None:
    for query in BAD:
        answer = visitor.get(f"{path}?since=1&{query}")
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), query


def test_the_stream_is_read_and_nothing_else(visitor: Visitor) -> None:
    answer = visitor.request("POST", paths.REVOCATION_STREAM)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
