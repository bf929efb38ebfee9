import json
from threading import Event, Thread

import pytest

from authserver.resource.http import Fetched, FetchFailed
from authserver.resource.jwks_source import JwksSource
from tests.resource import forge
from tests.resource.conftest import FakeClock

URL = "https://login.example.com/.well-known/jwks.json"


def jwks(*jwks: object, max_age: float | None = 300, etag: str | None = None) -> Fetched:
    return Fetched(200, json.dumps({"keys": jwks or [forge.public_jwk()]}).encode(), etag, max_age)


class Answers:
    """A fetch that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: Fetched | Exception) -> None:
        self.answers = list(answers)
        self.etags: list[str | None] = []

    def __call__(self, url: str, etag: str | None) -> Fetched:
        assert url == URL
        self.etags.append(etag)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def loaded(clock: FakeClock, *answers: Fetched | Exception, **settings: float) -> tuple[JwksSource, Answers]:
    fetch = Answers(*answers)
    source = JwksSource(URL, fetch, clock=clock, **settings)
    assert source.keys is None
    assert source.must_refresh()
    source.refresh()
    return source, fetch


def settle(source: JwksSource) -> None:
    """Wait for the background refresh, if there is one."""
    flight = source._flight._flight
    if flight is not None:
        assert flight.landed.wait(5)


def kids(source: JwksSource) -> set[str]:
    return set() if source.keys is None else set(source.keys.kids)


def test_keys_are_kept_for_their_max_age(clock: FakeClock) -> None:
    source, fetch = loaded(clock, jwks(max_age=100))
    clock.advance(79)
    assert kids(source) == {forge.KID}
    assert not source.must_refresh()
    assert len(fetch.etags) == 1


def test_before_the_end_keys_are_refreshed_in_the_background(clock: FakeClock) -> None:
    source, fetch = loaded(clock, jwks(max_age=100), jwks(forge.public_jwk(forge.OTHER_KEY)))
    clock.advance(80)
    assert kids(source)
    settle(source)
    assert kids(source) == {forge.OTHER_KEY.kid}
    assert len(fetch.etags) == 2


def test_after_the_end_the_next_request_waits_for_a_refresh(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks(max_age=100))
    clock.advance(100)
    assert source.must_refresh()
    source.refresh()
    assert not source.must_refresh()


@pytest.mark.parametrize(
    ("max_age", "fresh", "stale"), [(0, 0.5, 1), (10**9, 86_399, 86_400), (None, 299, 300)]
)
def test_an_unreasonable_max_age_is_bounded(
    clock: FakeClock, max_age: float | None, fresh: float, stale: float
) -> None:
    source, _ = loaded(clock, jwks(max_age=max_age))
    clock.advance(fresh)
    assert not source.must_refresh()
    clock.advance(stale - fresh)
    assert source.must_refresh()


def test_an_unchanged_document_keeps_the_very_same_keys(clock: FakeClock) -> None:
    source, fetch = loaded(clock, jwks(etag='"1"'), Fetched(304, b"", '"1"', 300), jwks(etag='"2"'))
    first = source.keys
    for _ in range(2):
        clock.advance(300)
        source.refresh()
    assert source.keys is first
    assert fetch.etags == [None, '"1"', '"1"']


@pytest.mark.parametrize(
    "answer",
    [
        Fetched(500, b""),
        Fetched(404, b'{"keys":[]}'),
        Fetched(200, b"<html>"),
        Fetched(200, b""),
        Fetched(200, b"[]"),
        Fetched(200, b'{"keys":[]}'),
        Fetched(200, b'{"keys":{}}'),
        Fetched(200, json.dumps({"keys": [forge.public_jwk(), forge.public_jwk()]}).encode()),
        Fetched(200, json.dumps({"keys": [forge.public_jwk(alg=None)]}).encode()),
        Fetched(200, b'{"keys":[],"keys":[]}'),
        FetchFailed("the answer is too large"),
        FetchFailed("the answer is too slow"),
        TimeoutError(),
        RuntimeError("whatever a custom fetch raises"),
    ],
)
def test_a_bad_answer_leaves_the_last_good_keys(
    clock: FakeClock, answer: Fetched | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    source, _ = loaded(clock, jwks(max_age=100), answer)
    clock.advance(100)
    source.refresh()
    assert kids(source) == {forge.KID}
    assert len(caplog.records) == 1


def test_a_failed_fetch_is_not_repeated_before_the_cooldown(clock: FakeClock) -> None:
    source, fetch = loaded(clock, jwks(max_age=100), FetchFailed("down"))
    clock.advance(100)
    source.refresh()
    clock.advance(4.9)
    assert not source.must_refresh()
    clock.advance(0.1)
    assert source.must_refresh()
    assert len(fetch.etags) == 2


def test_without_any_keys_the_cooldown_is_a_second(clock: FakeClock) -> None:
    """Whoever started before its issuer refuses everybody, and must not go on with that when the issuer is there."""
    source, fetch = loaded(clock, FetchFailed("down"), jwks())
    clock.advance(0.9)
    assert not source.must_refresh()
    clock.advance(0.1)
    source.refresh()
    assert kids(source) == {forge.KID}
    assert len(fetch.etags) == 2


def test_keys_beyond_the_ceiling_are_as_good_as_none(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks(max_age=100), FetchFailed("down"), max_stale=1_000)
    clock.advance(1_000)
    source.refresh()
    clock.advance(1)
    assert source.must_refresh()


def test_while_somebody_asks_the_others_go_on_with_the_last_good_keys(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks(max_age=100))
    clock.advance(100)
    source._flight._join()
    assert not source.must_refresh()
    assert kids(source) == {forge.KID}


def test_304_without_anything_kept_is_a_bad_answer(clock: FakeClock) -> None:
    source, _ = loaded(clock, Fetched(304, b""))
    assert source.keys is None


def test_beyond_the_ceiling_old_keys_are_no_keys(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks(max_age=100), FetchFailed("down"), max_stale=1_000)
    clock.advance(999)
    assert kids(source) == {forge.KID}
    settle(source)
    clock.advance(1)
    assert source.keys is None


def test_k07_a_flood_of_unknown_kids_is_one_fetch_per_cooldown(clock: FakeClock) -> None:
    source, fetch = loaded(clock, jwks())
    for second in range(11):
        for number in range(1_000):
            kid = f"{second}-{number}"
            if source.may_refetch_for(kid):
                source.refetch_for(kid)
        clock.advance(1)
    assert len(fetch.etags) == 1 + 3  # the load; then at 0, 5 and 10 seconds


def test_a_kid_that_was_looked_for_in_vain_is_not_looked_for_again(clock: FakeClock) -> None:
    source, fetch = loaded(clock, jwks())
    source.refetch_for("missing")
    clock.advance(30)
    assert not source.may_refetch_for("missing")
    assert source.may_refetch_for("another")
    clock.advance(30)
    assert source.may_refetch_for("missing")
    assert len(fetch.etags) == 2


def test_new_keys_forget_what_was_missing(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks(), jwks(), jwks(forge.public_jwk(), forge.public_jwk(forge.EC_KEY)))
    source.refetch_for("missing")
    clock.advance(5)
    source.refetch_for(str(forge.EC_KEY.kid))
    clock.advance(5)
    assert kids(source) == {forge.KID, forge.EC_KEY.kid}
    assert source.may_refetch_for("missing")


def test_the_memory_of_missing_kids_is_bounded(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks())
    for number in range(3_000):
        source._missing[str(number)] = 0
        if len(source._missing) > 1_024:
            break
    source.refetch_for("one more")
    assert len(source._missing) <= 1_024


def test_a_new_key_is_found_by_its_kid_at_once(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks(), jwks(forge.public_jwk(), forge.public_jwk(forge.OTHER_KEY)))
    assert source.may_refetch_for(str(forge.OTHER_KEY.kid))
    source.refetch_for(str(forge.OTHER_KEY.kid))
    assert kids(source) == {forge.KID, forge.OTHER_KEY.kid}


def test_many_threads_at_the_start_are_one_fetch(clock: FakeClock) -> None:
    asked, go_on = Event(), Event()
    calls = []

    def slow(url: str, etag: str | None) -> Fetched:
        calls.append(url)
        asked.set()
        assert go_on.wait(5)
        return jwks()

    source = JwksSource(URL, slow, clock=clock)
    threads = [Thread(target=source.refresh) for _ in range(10)]
    for thread in threads:
        thread.start()
    assert asked.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert kids(source) == {forge.KID}
    assert len(calls) == 1


def test_other_keys_are_told_and_the_same_are_not(clock: FakeClock) -> None:
    source, _ = loaded(clock, jwks(), jwks(), jwks(forge.public_jwk(forge.OTHER_KEY)))
    told = []
    source.on_change(lambda: told.append(kids(source)))
    for _ in range(2):
        clock.advance(300)
        source.refresh()
    assert told == [{forge.OTHER_KEY.kid}]
