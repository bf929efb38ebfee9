import gc
import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any
from weakref import ref

import pytest

from authserver.protocol.revocation import EVENT, Kind
from authserver.resource.http import Fetched, FetchFailed
from authserver.resource.jwks_source import JwksSource
from authserver.resource.revocation_ladder import Step
from authserver.resource.revocation_source import RevocationSource
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network

JWKS = "/.well-known/jwks.json"
FEED = "/revocations"


@pytest.fixture
def source(network: Network, clock: FakeClock) -> RevocationSource:
    return RevocationSource(
        forge.ISSUER + FEED,
        network,
        jwks=JwksSource(forge.ISSUER + JWKS, network, clock=clock),
        issuer=forge.ISSUER,
        clock=clock,
        monotonic_clock=clock,
        jitter=lambda: 0.5,
    )


def feed(event: dict[str, Any], *, iat: float = forge.NOW, key: Any = forge.KEY, **head: Any) -> Fetched:
    claims = {"iss": forge.ISSUER, "iat": iat, "jti": "j", "events": {EVENT: event}}
    header = forge.header(**({"typ": "secevent+jwt", "kid": key.kid} | head))
    return Fetched(200, forge.sign(header, claims, key).encode())


def is_hit(source: RevocationSource, **claims: Any) -> bool:
    return source.revocations.hit(forge.claims(**claims), forge.KID) is not None


def test_the_list_is_read_whole_and_then_in_steps(
    source: RevocationSource, issuer: LocalIssuer, network: Network
) -> None:
    issuer.revoke(Kind.SID, "one")
    source.poll_once()
    issuer.revoke(Kind.SUB, "alice", before=forge.NOW + 1)
    source.poll_once()
    assert is_hit(source, sid="one")
    assert is_hit(source, sub="alice")
    assert not is_hit(source)
    assert source.sequence == 2
    assert [url for url in network.asked if FEED in url] == [
        "https://login.example.com/revocations",
        f"https://login.example.com/revocations?since=1&mark={issuer._marks[1]}",
    ]


def test_the_age_is_counted_from_the_last_good_answer(
    source: RevocationSource, network: Network, clock: FakeClock
) -> None:
    assert source.must_wait()
    source.poll_once()
    clock.advance(7)
    assert source.age == 7
    network.broken[FEED] = FetchFailed("down")
    source.poll_once()
    assert source.age == 7
    assert not source.must_wait()


@pytest.mark.parametrize(
    "answer",
    [
        Fetched(500, b""),
        Fetched(404, b""),
        Fetched(304, b""),
        Fetched(200, b""),
        Fetched(200, b"\xff\xfe"),
        Fetched(200, b"<html>"),
        FetchFailed("down"),
        RuntimeError("odd"),
        feed({"mark": "m", "sequence": 9, "entries": []}, key=forge.OTHER_KEY),
        feed({"mark": "m", "sequence": 9, "entries": []}, key=forge.OTHER_KEY, kid=forge.KID),
        feed({"mark": "m", "sequence": 9, "entries": []}, typ="at+jwt"),
        feed({"mark": "m", "sequence": 9, "entries": [{"seq": 1, "kind": "new", "value": "x", "exp": 1}]}),
        feed({"mark": "m", "sequence": 9, "entries": []}, iat=forge.NOW + 61),
        feed({"mark": "m", "sequence": 9, "entries": []}, iat=forge.NOW - 11),
        feed({}),
    ],
)
def test_forged_and_broken_answers_change_nothing(
    source: RevocationSource, issuer: LocalIssuer, network: Network, answer: Fetched | Exception
) -> None:
    issuer.revoke(Kind.SID, "one")
    source.poll_once()
    network.broken[FEED] = answer
    source.poll_once()
    assert is_hit(source, sid="one")
    assert source.sequence == 1
    del network.broken[FEED]
    issuer.revoke(Kind.SID, "two")
    source.poll_once()
    assert is_hit(source, sid="two")


def test_a_replayed_snapshot_does_not_bring_anybody_back(
    source: RevocationSource, issuer: LocalIssuer, network: Network
) -> None:
    replayed = Fetched(200, issuer.revocations().encode())
    issuer.revoke(Kind.SID, "one")
    source.poll_once()
    network.broken[FEED] = replayed
    source.poll_once()
    assert is_hit(source, sid="one")


def test_a_delta_out_of_order_is_answered_by_asking_for_everything(
    source: RevocationSource, issuer: LocalIssuer, network: Network
) -> None:
    source.poll_once()
    for name in ("one", "two", "three"):
        issuer.revoke(Kind.SID, name)
    network.broken["?since="] = Fetched(200, issuer.revocations((2, issuer._marks[2])).encode())  # cut off
    source.poll_once()
    assert is_hit(source, sid="one")
    assert is_hit(source, sid="three")
    assert network.asked[-1] == "https://login.example.com/revocations"


@pytest.mark.parametrize("status", [400, 404, 410])
def test_an_issuer_that_does_not_know_our_sequence_is_asked_for_everything(
    source: RevocationSource, issuer: LocalIssuer, network: Network, status: int
) -> None:
    source.poll_once()
    issuer.revoke(Kind.SID, "one")
    network.broken["?since="] = Fetched(status, b"")
    source.poll_once()
    assert is_hit(source, sid="one")


def test_a_restored_database_says_so_and_is_read_anew(
    source: RevocationSource, issuer: LocalIssuer, network: Network
) -> None:
    issuer.revoke(Kind.SID, "one")
    source.poll_once()
    issuer._marks, issuer._entries = ["restored"], []
    network.broken["/revocations"] = Fetched(200, issuer.revocations().encode())
    source.poll_once()
    assert is_hit(source, sid="one")  # an older list, and nobody has said why
    network.broken.clear()
    source.poll_once()
    assert source.revocations.position == (0, "restored")
    assert not is_hit(source, sid="one")


def test_after_a_reset_that_nothing_follows_what_is_known_stays_known(
    source: RevocationSource, issuer: LocalIssuer, network: Network
) -> None:
    issuer.revoke(Kind.SID, "one")
    source.poll_once()
    reset = {"reset": {"since": 1, "mark": issuer._marks[1]}, "sequence": 0, "mark": "restored"}
    network.broken[FEED] = feed(reset)
    for _ in range(3):
        source.poll_once()
    assert is_hit(source, sid="one")
    assert source.sequence == 1


def test_a_revoked_key_cannot_sign_the_list_any_more(
    source: RevocationSource, issuer: LocalIssuer, network: Network, clock: FakeClock
) -> None:
    both = {"keys": [forge.public_jwk(), forge.public_jwk(forge.OTHER_KEY)]}
    network.broken[JWKS] = Fetched(200, json.dumps(both).encode(), max_age=300)
    issuer.revoke(Kind.KID, str(forge.OTHER_KEY.kid))
    source.poll_once()
    network.broken[FEED] = feed({"mark": "mine now", "sequence": 99, "entries": []}, key=forge.OTHER_KEY)
    source.poll_once()
    assert source.sequence == 1
    assert source.revocations.kids == {forge.OTHER_KEY.kid}


def test_a_list_signed_by_a_new_key_makes_the_keys_be_fetched(
    source: RevocationSource, network: Network, clock: FakeClock
) -> None:
    network.broken[JWKS] = Fetched(200, json.dumps({"keys": [forge.public_jwk()]}).encode(), max_age=300)
    source.poll_once()
    both = {"keys": [forge.public_jwk(), forge.public_jwk(forge.OTHER_KEY)]}
    network.broken[JWKS] = Fetched(200, json.dumps(both).encode(), max_age=300)
    entry = {"seq": 5, "kind": "sid", "value": "one", "exp": forge.NOW + 60}
    network.broken[FEED] = feed({"mark": "m", "sequence": 5, "entries": [entry]}, key=forge.OTHER_KEY)
    source.poll_once()
    assert is_hit(source, sid="one")


def test_without_keys_there_is_no_list(source: RevocationSource, network: Network) -> None:
    network.broken[JWKS] = Fetched(500, b"")
    source.poll_once()
    assert source.age is None


def test_a_document_frozen_on_the_way_grows_old(
    source: RevocationSource, issuer: LocalIssuer, network: Network, clock: FakeClock
) -> None:
    source.poll_once()
    network.broken[FEED] = Fetched(200, issuer.revocations((0, issuer._marks[0])).encode())
    clock.advance(20)
    source.poll_once()
    assert source.age == pytest.approx(20, rel=0.06)
    clock.advance(280)
    source.poll_once()
    assert source.age == 300


def test_what_has_expired_is_forgotten(
    source: RevocationSource, issuer: LocalIssuer, clock: FakeClock
) -> None:
    issuer.revoke(Kind.SID, "one")
    source.poll_once()
    clock.advance(86_400)
    source.poll_once()
    assert len(source.revocations) == 1  # a token with leeway may still be alive
    clock.advance(180)
    source.poll_once()
    assert len(source.revocations) == 0


def test_a_clock_that_leaps_forgets_nobody(
    source: RevocationSource, issuer: LocalIssuer, clock: FakeClock
) -> None:
    issuer.revoke(Kind.SID, "one")
    source._clock = lambda: clock() + 7 * 86_400
    for _ in range(3):
        source.poll_once()
        clock.advance(20)
    assert is_hit(source, sid="one")


def test_failures_are_counted_and_logged_once(
    source: RevocationSource, network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "authserver.resource")
    network.broken[FEED] = FetchFailed("down")
    for _ in range(7):
        source.poll_once()
    assert source.failures == 7
    assert len(caplog.records) == 1
    network.broken.clear()
    source.poll_once()
    assert source.failures == 0
    assert "current again" in caplog.text


def test_the_first_list_is_asked_for_once_however_many_need_it(
    source: RevocationSource, network: Network
) -> None:
    assert source.must_wait()
    source.load()
    source.load()
    source.poll_and_pause()
    assert network.count(JWKS) == 1
    assert [url for url in network.asked if FEED in url][:2] == [
        forge.ISSUER + FEED,
        source.url_for(Step.POLL),
    ]
    assert network.count(FEED) == 2


def test_a_flood_of_documents_by_unknown_keys_is_one_fetch_of_the_keys_per_cooldown(
    source: RevocationSource, network: Network, clock: FakeClock
) -> None:
    source.poll_once()
    for second in range(6):
        for number in range(20):
            unknown = f"{second}-{number}"
            network.broken[FEED] = feed({"mark": "m", "sequence": 9, "entries": []}, kid=unknown)
            source.poll_once()
        clock.advance(1)
    assert network.count(JWKS) == 1 + 2  # the load; then at 0 and 5 seconds


def test_keys_that_are_due_are_fetched_without_making_the_list_wait(
    source: RevocationSource, network: Network, clock: FakeClock
) -> None:
    source.poll_once()
    clock.advance(299)
    source.poll_once()
    flight = source._jwks._flight._flight
    assert flight is None or flight.landed.wait(5)
    assert network.count(JWKS) == 2


def test_the_addresses_carry_the_position_and_whole_seconds_within_the_protocol(
    source: RevocationSource, issuer: LocalIssuer
) -> None:
    source.poll_once()
    place = f"since=0&mark={issuer._marks[0]}"
    base = forge.ISSUER + FEED
    assert source.url_for(Step.STREAM, 3.9) == f"{base}/stream?{place}&heartbeat=3"
    assert source.url_for(Step.STREAM, 0.1) == f"{base}/stream?{place}&heartbeat=1"
    assert source.url_for(Step.LONG_POLL, 100) == f"{base}?{place}&wait=30"
    assert source.url_for(Step.POLL) == f"{base}?{place}"


class Polled:
    """A feed that only tells when it was asked."""

    def __init__(self) -> None:
        self.asked = Event()

    def __call__(self, url: str, etag: str | None) -> Fetched:
        self.asked.set()
        raise FetchFailed("nothing here")


def polling(feed: Polled) -> RevocationSource:
    return RevocationSource("https://x/", feed, jwks=JwksSource("https://x/", feed), issuer="https://x")


def test_the_thread_starts_at_first_use_and_ends_when_closed() -> None:
    feed = Polled()
    source = polling(feed)
    assert not feed.asked.is_set()
    source.ensure_running()
    source.ensure_running()
    assert feed.asked.wait(5)
    following = source._following
    assert following is not None
    source.close()
    source.ensure_running()
    assert following.stop.is_set()
    assert source._following is following


def test_a_forked_child_starts_a_thread_of_its_own_and_leaves_its_parents_alone() -> None:
    feed = Polled()
    source = polling(feed)
    source.ensure_running()
    assert feed.asked.wait(5)
    feed.asked.clear()
    parents = source._following
    assert parents is not None
    source._pid = os.getpid() + 1
    source._taking.acquire()  # what a child may find: held by a thread that it does not have
    source.ensure_running()
    assert feed.asked.wait(5)
    assert source._following is not parents
    source.close()
    assert not parents.stop.is_set()
    parents.end()


FORK = """
import os, sys
from threading import Timer
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.http import FetchFailed

def fetch(url, etag):
    raise FetchFailed("nothing here")

guard = Guard("https://login.example.com", audience="a", fetch=fetch)
guard._trust.feed._starting_lock().acquire()  # by a thread that is about to start, and is not there after the fork
child = os.fork()
if child == 0:
    Timer(4, lambda: os._exit(3)).start()
    guard.authenticate(PlainRequest("GET", {"authorization": "Bearer x"}))
    guard.authenticate(PlainRequest("GET", {"authorization": "Bearer x"}))
    os._exit(0 if guard._trust.feed._pid == os.getpid() else 4)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_fork_while_a_thread_starts_does_not_make_the_child_wait_for_ever() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], timeout=20, check=False)
    assert done.returncode == 0


def test_what_a_child_lets_go_ends_nothing_of_its_parents() -> None:
    source = polling(Polled())
    source._following = source._new_following()
    source._pid = os.getpid() + 1
    source.close()
    assert not source._following.stop.is_set()


def test_a_source_that_nobody_uses_any_more_goes_away_and_so_does_its_thread() -> None:
    feed = Polled()
    source = polling(feed)
    source.ensure_running()
    assert feed.asked.wait(5)
    assert source._following is not None
    stop, gone = source._following.stop, ref(source)
    del source
    for _ in range(100):
        gc.collect()
        if gone() is None:
            break
        stop.wait(0.01)
    assert gone() is None
    assert stop.is_set()
