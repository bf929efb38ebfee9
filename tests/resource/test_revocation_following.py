"""The feed over real sockets: on good days by stream, on bad ones by whatever is left of it."""

import gc
import logging
import os
import subprocess
import sys
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from weakref import ref

import pytest

from authserver.protocol import paths
from authserver.protocol.revocation import Kind
from authserver.resource import revocation_following
from authserver.resource.http import Fetched, HttpFetch, HttpPost, connect
from authserver.resource.jwks_source import JwksSource
from authserver.resource.revocation_ladder import Step
from authserver.resource.revocation_source import MAX_FEED, RevocationSource
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.wire import IssuerServer, begins, event, falls_silent, says

STREAM, FEED = paths.REVOCATION_STREAM, paths.REVOCATIONS


@pytest.fixture
def issuer() -> LocalIssuer:
    return LocalIssuer(audience=forge.API, key=forge.KEY)


@pytest.fixture
def server(issuer: LocalIssuer) -> Iterator[IssuerServer]:
    running = IssuerServer(issuer)
    yield running
    running.cut()
    running.stop()


@dataclass
class Sources:
    """Makes sources, and closes them when the test is over."""

    server: IssuerServer
    made: list[RevocationSource] = field(default_factory=list)

    def __call__(self, *, heartbeat: float = 0.2, **settings: Any) -> RevocationSource:
        url = self.server.url
        settings = {"fetch": HttpFetch(max_bytes=MAX_FEED), "connect": connect, **settings}
        source = RevocationSource(
            url + FEED,
            jwks=JwksSource(url + paths.JWKS, HttpFetch()),
            issuer=url,
            heartbeat=heartbeat,
            interval=0.05,
            jitter=lambda: 0.0,
            **settings,
        )
        source.ensure_running()
        self.made.append(source)
        return source


@pytest.fixture
def follow(server: IssuerServer) -> Iterator[Sources]:
    sources = Sources(server)
    yield sources
    for source in sources.made:
        source.close()


def until(condition: Callable[[], object], seconds: float = 8.0) -> None:
    pause = Event()
    for _ in range(int(seconds / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    pytest.fail("it did not come to that")


def knows(source: RevocationSource, sid: str) -> bool:
    return source.revocations.hit(forge.claims(sid=sid), "-") is not None


def by_stream(source: RevocationSource) -> RevocationSource:
    until(lambda: source.by is Step.STREAM)
    return source


def since(path: str) -> tuple[str, str | None]:
    return urlsplit(path).path, dict(parse_qsl(urlsplit(path).query)).get("since")


def test_a_cold_start_is_one_fetch_of_the_keys_and_one_of_the_list_and_the_stream_goes_on_from_there(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    issuer.revoke(Kind.SID, "before")
    source = follow(heartbeat=5)
    source.load()
    assert knows(source, "before")
    assert server.asked[:2] == [FEED, paths.JWKS]
    by_stream(source)
    issuer.revoke(Kind.SID, "after")
    server.tell()
    until(lambda: knows(source, "after"))
    assert server.asked[2:] == [f"{STREAM}?since=1&mark={issuer._marks[1]}&heartbeat=5"]
    assert (source.sequence, source.failures) == (2, 0)


@pytest.mark.parametrize(
    "answer",
    [
        says(404),
        says(400),
        says(405),
        says(200, b"data: x\n\n", Content_Type="text/html"),
        falls_silent(Event()),
    ],
    ids=["404", "400", "405", "a page", "a proxy that keeps it all"],
)
def test_without_a_stream_the_news_comes_by_long_poll(
    server: IssuerServer,
    issuer: LocalIssuer,
    follow: Sources,
    answer: Callable[[Any], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(revocation_following, "HEARTBEATS", 0.3)
    server.answers[STREAM] = answer
    source = follow(heartbeat=1.0)
    until(server.opened.is_set)
    issuer.revoke(Kind.SID, "one")
    server.cut()
    until(lambda: knows(source, "one"))
    assert source.by is Step.LONG_POLL
    assert server.count(STREAM) == 1


def test_where_nothing_else_works_it_polls(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    def only_polls(request: BaseHTTPRequestHandler) -> None:
        (says(400) if "wait=" in request.path else server._fetched)(request)

    server.answers |= {STREAM: says(404), FEED: only_polls}
    source = follow()
    until(lambda: server.count(FEED) > 3)
    issuer.revoke(Kind.SID, "one")
    until(lambda: knows(source, "one"))
    assert source.by is Step.POLL
    assert server.count(STREAM) == 1


def test_an_issuer_that_answers_long_polls_at_once_is_polled_in_peace(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    def hasty(request: BaseHTTPRequestHandler) -> None:
        says(200, issuer.revocations(server._since(request)).encode())(request)

    server.answers |= {STREAM: says(404), FEED: hasty}
    source = follow(heartbeat=5)
    until(lambda: sum("wait=" in asked for asked in server.asked) == 3)
    asked = len(server.asked)
    until(lambda: len(server.asked) > asked + 3)
    assert sum("wait=" in asked for asked in server.asked) == 3
    assert source.by is Step.POLL


def test_a_stream_that_is_cut_is_opened_again_at_once_from_where_it_ended(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    source = by_stream(follow(heartbeat=5))
    issuer.revoke(Kind.SID, "one")
    server.tell()
    until(lambda: knows(source, "one"))
    server.cut()
    until(server.opened.is_set)
    issuer.revoke(Kind.SID, "two")
    server.tell()
    until(lambda: knows(source, "two"))
    assert [since(path) for path in server.asked[2:]] == [(STREAM, "0"), (STREAM, "1")]
    assert not caplog.records


def test_heartbeats_keep_the_list_young(server: IssuerServer, follow: Sources) -> None:
    now = [1_000.0]
    source = by_stream(follow(heartbeat=5, monotonic_clock=lambda: now[0]))
    now[0] += 4
    assert source.age == 4
    later = server.issuer._clock() + 4
    server.issuer._clock = lambda: later
    server.tell()
    until(lambda: source.age is not None and source.age <= 1)


def test_a_stream_that_falls_silent_is_noticed_and_opened_again(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    source = by_stream(follow(heartbeat=0.1))
    issuer.revoke(Kind.SID, "unheard of")  # nobody tells the stream
    until(lambda: knows(source, "unheard of"))
    assert server.asked[3].startswith(f"{FEED}?since=0")
    until(lambda: server.count(STREAM) == 2)


def dripping(piece: bytes) -> Callable[[IssuerServer], Callable[[BaseHTTPRequestHandler], None]]:
    def made(server: IssuerServer) -> Callable[[BaseHTTPRequestHandler], None]:
        def drip(request: BaseHTTPRequestHandler) -> None:
            begins(request)
            request.wfile.write(event(server.issuer.revocations(server._since(request))))
            while not server.stopping.wait(0.01):
                request.wfile.write(piece)

        return drip

    return made


@pytest.mark.parametrize(
    "piece", [b": still here\n\n", b"d", b"event: other\ndata: x\n\n", b"data: x\n", b"retry: 1\n"]
)
def test_what_drips_and_says_nothing_is_given_up(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources, piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_following, "LONGEST_EVENT", 0.2)
    server.answers[STREAM] = dripping(piece)(server)
    source = by_stream(follow(heartbeat=0.1))
    issuer.revoke(Kind.SID, "one")
    until(lambda: knows(source, "one"))  # by the poll that follows


@pytest.mark.parametrize(("heartbeat", "pause"), [(5.0, 0.0), (0.1, 0.03)], ids=["without pause", "slowly"])
def test_a_genuine_heartbeat_that_is_repeated_for_ever_is_given_up(
    server: IssuerServer,
    issuer: LocalIssuer,
    follow: Sources,
    monkeypatch: pytest.MonkeyPatch,
    heartbeat: float,
    pause: float,
) -> None:
    """Nor is it kept for the pieces in which the copies come: the next one has always begun."""
    monkeypatch.setattr(revocation_following, "LONGEST_EVENT", 0.3)

    def repeat(request: BaseHTTPRequestHandler) -> None:
        begins(request)
        copy = event(issuer.revocations(server._since(request)))
        while not server.stopping.wait(pause):
            request.wfile.write(copy + copy[:20])
            request.wfile.write(copy[20:])

    server.answers[STREAM] = repeat
    source = by_stream(follow(heartbeat=heartbeat))
    issuer.revoke(Kind.SID, "one")
    until(lambda: knows(source, "one"))  # by the poll that follows


@pytest.mark.parametrize("piece", [b"x" * 65_536, b"data: x\n" * 8_192, b": x\n" * 16_384])
def test_what_never_ends_is_given_up(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources, piece: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_following, "MAX_FEED", 300_000)

    def flood(request: BaseHTTPRequestHandler) -> None:
        begins(request)
        while not server.stopping.is_set():
            request.wfile.write(piece)

    server.answers[STREAM] = flood
    source = follow(heartbeat=0.1)
    until(lambda: server.count(STREAM) >= 1)
    issuer.revoke(Kind.SID, "one")
    until(lambda: knows(source, "one"))


def forged(issuer: LocalIssuer, key: Any = forge.OTHER_KEY, **head: Any) -> str:
    """What `issuer` says now, signed by somebody else."""
    payload = issuer.revocations((0, issuer._marks[0])).split(".")[1]
    body = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return forge.sign(forge.header(**({"typ": "secevent+jwt"} | head)), body, key)


@pytest.mark.parametrize(
    "bad",
    [
        lambda issuer: "garbage",
        lambda issuer: "a.b.c",
        forged,
        lambda issuer: forged(issuer, kid="unknown"),
        lambda issuer: issuer.revocations((0, issuer._marks[0]))[:-20],
        lambda issuer: issuer.token(),
        lambda issuer: issuer.revocations((0, "another history")),
    ],
    ids=["garbage", "no jws", "forged", "unknown key", "truncated", "an access token", "of another history"],
)
def test_a_bad_event_changes_nothing_and_the_list_is_asked_for(
    server: IssuerServer,
    issuer: LocalIssuer,
    follow: Sources,
    bad: Callable[[LocalIssuer], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    source = by_stream(follow(heartbeat=5))
    issuer.revoke(Kind.SID, "one")
    server.tell(event(bad(issuer)))
    until(lambda: knows(source, "one"))
    assert since(server.asked[3]) in {(FEED, "0"), (FEED, None), (paths.JWKS, None)}
    until(lambda: server.count(STREAM) == 2)
    assert not caplog.records


def test_deltas_out_of_order_and_twice_are_answered_by_the_whole_list(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    source = by_stream(follow(heartbeat=5))
    issuer.revoke(Kind.SID, "one")
    first = issuer.revocations((0, issuer._marks[0]))
    issuer.revoke(Kind.SID, "two")
    second = issuer.revocations((1, issuer._marks[1]))
    server.tell(event(second) + event(first))
    until(lambda: source.sequence == 2)
    assert server.asked[3] == FEED
    until(lambda: len(server.streams) == 2)
    server.streams[-1].put(event(first) + event(second))
    until(lambda: server.count(STREAM) == 3)
    assert knows(source, "one")
    assert knows(source, "two")
    assert source.sequence == 2


def test_a_reset_on_the_stream_leads_to_the_restored_list_and_on(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    issuer.revoke(Kind.SID, "lost")
    source = by_stream(follow(heartbeat=5))
    stood = server._position
    issuer._entries, issuer._marks = [], ["restored"]
    server.tell(event(issuer.revocations(stood)))
    until(lambda: source.revocations.position == (0, "restored"))
    assert not knows(source, "lost")
    assert server.asked[3] == FEED
    until(lambda: server.count(STREAM) == 2)
    issuer.revoke(Kind.SID, "new")
    server.tell()
    until(lambda: knows(source, "new"))


def test_an_outage_is_one_line_in_the_log_and_the_gap_is_caught_up(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "authserver.resource")
    issuer.revoke(Kind.SID, "known")
    source = by_stream(follow(heartbeat=5))
    answers, server.answers = server.answers, dict.fromkeys(server.answers, says(500))
    server.cut()
    until(lambda: source.failures >= 3)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert knows(source, "known")
    issuer.revoke(Kind.SID, "missed")
    server.answers = answers
    until(lambda: knows(source, "missed"))
    until(lambda: server.opened.is_set() and source.by is Step.STREAM)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.parametrize("endless", [STREAM, FEED])
def test_ten_gigabytes_are_not_read(
    server: IssuerServer,
    issuer: LocalIssuer,
    follow: Sources,
    endless: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(revocation_following, "MAX_FEED", 1_000_000)
    sent = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        begins(request)
        while not server.stopping.is_set():
            request.wfile.write(b"x" * 65_536)
            sent.append(65_536)

    good, server.answers[endless] = server.answers[endless], answer
    source = follow(heartbeat=0.4, fetch=HttpFetch(max_bytes=1_000_000))
    until(lambda: source.failures >= 1)
    server.answers[endless] = good
    issuer.revoke(Kind.SID, "one")
    until(lambda: knows(source, "one"))
    assert sum(sent) < 200_000_000
    assert len(caplog.records) == (endless == FEED)


def thread_of(source: RevocationSource) -> Thread:
    """The same as `ensure_running`, with the thread in our hands."""
    source._following, source._pid = source._new_following(), os.getpid()
    thread = Thread(target=source._following.run, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("step", [Step.STREAM, Step.LONG_POLL])
def test_closing_ends_the_thread_at_once_even_while_it_waits(
    server: IssuerServer, follow: Sources, step: Step
) -> None:
    if step is Step.LONG_POLL:
        server.answers[STREAM] = says(404)
    source = RevocationSource(
        server.url + FEED,
        HttpFetch(),
        jwks=JwksSource(server.url + paths.JWKS, HttpFetch()),
        issuer=server.url,
        connect=connect,
        heartbeat=30,
    )
    thread = thread_of(source)
    assert server.opened.wait(5)
    source.close()
    thread.join(2)
    assert not thread.is_alive()


def test_a_source_that_nobody_uses_any_more_ends_its_stream(server: IssuerServer, follow: Sources) -> None:
    source = by_stream(follow(heartbeat=30))
    following, gone = source._following, ref(source)
    assert following is not None
    follow.made.clear()
    del source
    until(lambda: gc.collect() >= 0 and gone() is None)
    assert following.stop.is_set()
    assert following.line._is_down


FORK = """
import os, sys
from threading import Event
from authserver.resource.http import HttpFetch, connect
from authserver.resource.jwks_source import JwksSource
from authserver.resource.revocation_source import RevocationSource

def until(condition):
    for _ in range(2000):
        if condition(): return
        Event().wait(0.005)
    os._exit(3)

url = sys.argv[1]
source = RevocationSource(url + "/revocations", HttpFetch(), jwks=JwksSource(url + "/.well-known/jwks.json", HttpFetch()),
    issuer=url, connect=connect, heartbeat=30)
source.ensure_running()
until(lambda: source.by == "stream")
child = os.fork()
if child == 0:
    source.close()                      # ends nothing of the parent's
    source._closed = False
    source.ensure_running()
    until(lambda: source.by == "stream" and source._following.line._socket)
    print("child", flush=True)
    until(lambda: source.sequence == 1)
    os._exit(0)
until(lambda: source.sequence == 1)
ended = os.waitpid(child, 0)[1]
sys.exit(ended)
"""


@pytest.mark.skipif(not hasattr(sys, "platform") or sys.platform == "win32", reason="there is no fork")
def test_parent_and_forked_child_each_have_a_stream(server: IssuerServer, issuer: LocalIssuer) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-W", "ignore", "-c", FORK, server.url]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "child\n"
        until(lambda: server.count(STREAM) == 2)
        issuer.revoke(Kind.SID, "one")
        server.tell()
        assert process.wait(10) == 0
    assert server.count(STREAM) == 2


def test_with_a_fetch_of_ones_own_and_nothing_else_it_only_polls(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    def fetch(url: str, etag: str | None) -> Fetched:
        return issuer.fetch(url, etag)

    source = follow(fetch=fetch, connect=None)
    issuer.revoke(Kind.SID, "one")
    until(lambda: knows(source, "one"))
    assert {urlsplit(asked).path for asked in server.asked} == {paths.JWKS}
    assert source.by is Step.POLL


def test_a_named_service_says_where_it_stands(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    source = by_stream(follow(heartbeat=5, service="orders", post=HttpPost()))
    issuer.revoke(Kind.KID, "stolen")
    server.tell()
    until(lambda: source.sequence == 1)
    while (said := server.reports.get(timeout=5))["sequence"] < 1:
        pass
    assert said == {
        "service": "orders",
        "instance": said["instance"],
        "sequence": 1,
        "mark": issuer._marks[1],
        "kids": [forge.KID],
        "by": "stream",
    }


def test_an_emergency_is_reported_when_it_took_effect_and_not_a_second_later(
    server: IssuerServer, issuer: LocalIssuer, follow: Sources
) -> None:
    """New keys come first, for the list that names the lost one is signed by the next; both within this second."""
    by_stream(follow(heartbeat=5, service="orders", post=HttpPost()))
    while server.reports.get(timeout=5)["by"] != Step.STREAM:
        pass
    issuer.revoke(Kind.KID, forge.KID)
    issuer._given_key = forge.OTHER_KEY
    del issuer._key, issuer._public_jwk
    server.tell()
    said = server.reports.get(timeout=0.7)
    assert (said["sequence"], said["kids"]) == (1, [forge.OTHER_KEY.kid])
    assert server.reports.empty()
