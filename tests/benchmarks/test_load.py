"""Reading what load generators say."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from benchmarks.load import wrk
from benchmarks.load.client import Answer, read_answer, run
from benchmarks.load.plan import Plan, Tally, request

REPORT = """Running 2s test @ http://127.0.0.1:8000/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   837.60us  124.33us   4.71ms   92.00%
    Req/Sec    38.10k     1.10k   39.50k    70.00%
  Latency Distribution
     50%  820.00us
     75%    0.86ms
     90%    0.93ms
     99%    1.20ms
  76012 requests in 2.00s, 81.93MB read
Requests/sec:  37993.10
Transfer/sec:     40.95MB
"""
ANSWER = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nRetry-After: 1\r\n\r\n{}"


def test_the_report_of_wrk_is_read_in_milliseconds() -> None:
    found = wrk.read(REPORT)
    assert (found.per_second, found.p99_ms) == (37993.10, 1.2)
    assert found.p50_ms == pytest.approx(0.82)
    assert (found.operations, found.errors) == (76012, 0)


def test_refusals_and_broken_connections_that_wrk_saw_are_errors() -> None:
    more = (
        "  Socket errors: connect 0, read 2, write 0, timeout 1\n  Non-2xx or 3xx responses: 5\nRequests/sec"
    )
    assert wrk.read(REPORT.replace("Requests/sec", more)).errors == 8


def test_a_report_without_a_rate_is_not_guessed_at() -> None:
    with pytest.raises(wrk.Unreadable):
        wrk.read("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_an_answer_is_read_when_it_is_there_in_full() -> None:
    assert all(read_answer(ANSWER[:length]) is None for length in range(len(ANSWER)))
    assert read_answer(ANSWER + b"HTTP/1.1 200 OK") == Answer(503, retry_after=True, length=len(ANSWER))


def test_an_answer_that_does_not_say_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="without a length"):
        read_answer(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_every_answer_but_the_expected_one_is_an_error() -> None:
    tally = Tally(
        seconds=2.0,
        statuses={"200": 10, "503": 3},
        retry_after=3,
        broken=1,
        p50_ms=1.0,
        p99_ms=2.0,
        slowest_ms=2.5,
    )
    sample = tally.sample()
    assert (sample.per_second, sample.errors, sample.operations) == (5.0, 4, 10)


def test_a_request_is_written_as_it_goes_over_the_wire() -> None:
    assert request("POST", "/login", 8000, {"Cookie": "a=b"}, '{"é":1}') == (
        "POST /login HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nCookie: a=b\r\n"
        'Content-Type: application/json\r\nContent-Length: 8\r\n\r\n{"é":1}'
    )


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def load_on(handler: Handler, *, connections: int, each: int) -> Tally:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        requests = [[request("GET", f"/{number}", port)] for number in range(connections)]
        return await run(Plan(port=port, requests=requests, each=each, seconds=10))


def test_each_connection_sends_its_own_requests_one_after_the_other() -> None:
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            head = await reader.readuntil(b"\r\n\r\n")
            seen.append(head.decode().split()[1])
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
            await writer.drain()
            writer.write(b"{}")
        await reader.read()  # until the client closes
        writer.close()

    tally = asyncio.run(load_on(answer, connections=2, each=3))
    assert sorted(seen) == ["/0"] * 3 + ["/1"] * 3
    assert (tally.statuses, tally.broken, tally.wrong) == ({"200": 6}, 0, [])


def test_a_connection_that_is_closed_on_the_client_is_counted_and_not_waited_for() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    tally = asyncio.run(load_on(hang_up, connections=2, each=1))
    assert (tally.answers, tally.broken, tally.p99_ms) == (0, 2, None)
