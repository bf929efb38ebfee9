import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, Queue
from socket import gethostname
from threading import Event, Thread
from typing import Any

import pytest

from authserver.protocol.heard import BY, MOST_KIDS
from authserver.resource.http import Fetched, FetchFailed
from authserver.resource.revocation_ladder import Step
from authserver.resource.service_report import (
    Said,
    ServiceReport,
    believed,
    name_of_process,
    require_name,
)

URL = "https://login.example.com/revocations/heard"


class Issuer:
    """Takes reports, and knows where the service stands."""

    def __init__(self, *answers: Fetched | Exception) -> None:
        self.answers = [*answers, Fetched(204, b"")]
        self.reports: Queue[dict[str, Any]] = Queue()
        self.facts: Said | None = Said(1, "m1", ("k",), "stream")

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        assert (url, headers) == (URL, {"Content-Type": "application/json"})
        self.reports.put(json.loads(body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reported(self) -> dict[str, Any]:
        return self.reports.get(timeout=5)

    @contextmanager
    def told(
        self, *, every: float = 60.0, between: float = 0.0, moment: float = 0.0
    ) -> Iterator[ServiceReport]:
        report = ServiceReport(
            URL, "orders", self.post, lambda: self.facts, every=every, between=between, moment=moment
        )
        thread = Thread(target=report.run)
        thread.start()
        try:
            yield report
        finally:
            report.stop()
            thread.join(5)
            assert not thread.is_alive()


def test_a_report_says_who_and_where_and_by_which_keys() -> None:
    issuer = Issuer()
    with issuer.told() as report:
        assert issuer.reported() == {
            "service": "orders",
            "instance": report.instance,
            "sequence": 1,
            "mark": "m1",
            "kids": ["k"],
            "by": "stream",
        }


def test_a_change_is_reported_at_once_and_silence_only_now_and_then() -> None:
    issuer = Issuer()
    with issuer.told() as report:
        issuer.reported()
        issuer.facts = Said(2, "m2", ("k",), "stream")
        report.changed()
        assert issuer.reported()["sequence"] == 2
        with pytest.raises(Empty):
            issuer.reports.get(timeout=0.05)
    with issuer.told(every=0.01):
        assert [issuer.reported()["sequence"] for _ in range(3)] == [2, 2, 2]


def test_a_burst_of_changes_is_told_together() -> None:
    issuer = Issuer()
    with issuer.told(between=0.2) as report:
        issuer.reported()
        for sequence in range(2, 50):
            issuer.facts = Said(sequence, f"m{sequence}", ("k",), "stream")
            report.changed()
        assert issuer.reported()["sequence"] == 49
        assert issuer.reports.empty()


def test_a_key_that_was_just_dropped_is_told_whatever_was_told_just_before() -> None:
    """An emergency's time to effect is read from the reports, so a report must not be what takes the time."""
    issuer = Issuer()
    with issuer.told(between=60) as report:
        issuer.reported()
        issuer.facts = Said(2, "m2", (), "stream")
        report.changed(at_once=True)
        assert (issuer.reported()["sequence"], issuer.reports.qsize()) == (2, 0)


def test_new_keys_are_told_together_with_the_list_that_they_were_fetched_for() -> None:
    issuer = Issuer()
    with issuer.told(moment=60) as report:
        issuer.reported()
        issuer.facts = Said(1, "m1", ("k", "next"), "stream")
        report.changed()
        with pytest.raises(Empty):
            issuer.reports.get(timeout=0.05)
        issuer.facts = Said(2, "m2", ("next",), "stream")
        report.changed(at_once=True)
        assert issuer.reported()["kids"] == ["next"]
        assert issuer.reports.empty()


def test_new_keys_that_no_list_follows_are_told_a_moment_later() -> None:
    issuer = Issuer()
    with issuer.told(moment=0.01) as report:
        issuer.reported()
        issuer.facts = Said(1, "m1", ("k", "next"), "stream")
        report.changed()
        assert issuer.reported()["kids"] == ["k", "next"]


@pytest.mark.parametrize(("between", "moment"), [(60.0, 0.0), (0.0, 60.0)])
def test_whoever_is_stopped_waits_for_nothing(between: float, moment: float) -> None:
    issuer = Issuer()
    with issuer.told(between=between, moment=moment) as report:
        issuer.reported()
        issuer.facts = Said(1, "m1", ("next",), "stream")
        report.changed()


def test_before_there_is_a_list_nothing_is_said_and_the_first_one_at_once() -> None:
    issuer = Issuer()
    issuer.facts = None
    with issuer.told(between=60) as report:
        issuer.facts = Said(0, "m0", (), "poll")
        report.changed()
        assert issuer.reported()["sequence"] == 0


def test_a_report_that_fails_is_no_trouble(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    issuer = Issuer(FetchFailed("down"), RuntimeError("odd"), Fetched(500, b""))
    with issuer.told(every=0.01):
        for _ in range(5):
            issuer.reported()
    assert not caplog.records


@pytest.mark.parametrize("status", [404, 405, 410])
def test_an_issuer_that_takes_no_reports_is_left_alone(status: int) -> None:
    issuer = Issuer(Fetched(status, b""))
    with issuer.told(every=0.0) as report:
        issuer.reported()
        report.changed()
        with pytest.raises(Empty):
            issuer.reports.get(timeout=0.05)


def test_a_slow_issuer_does_not_hold_up_whoever_has_news() -> None:
    issuer, asked, go_on = Issuer(), Event(), Event()

    def slow(url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        asked.set()
        assert go_on.wait(5)
        return Fetched(204, b"")

    issuer.post = slow  # type: ignore[method-assign]
    with issuer.told() as report:
        assert asked.wait(5)
        report.changed()
        go_on.set()


def test_each_process_has_a_name_of_its_own() -> None:
    made = {ServiceReport(URL, "orders", Issuer().post, lambda: None).instance for _ in range(10)}
    assert len(made) == 10
    for instance in made:
        host, number, _ = instance.split(":")
        assert (host, number) == (gethostname()[:36], str(os.getpid()))


@pytest.mark.parametrize("host", ["", "web-1", "h" * 255, " web\x1b[2J\n", "주문" * 40, "a:b"])
def test_the_name_of_a_process_is_one_that_an_issuer_takes_and_no_other_process_has(host: str) -> None:
    names = {name_of_process(host) for _ in range(100)}
    assert len(names) == 100
    for name in names:
        assert require_name(name) == name
        assert name.rsplit(":", 2)[1] == str(os.getpid())


def test_a_revoked_key_is_not_believed_and_there_is_an_end_to_the_list() -> None:
    assert believed({"b", "a", "stolen"}, {"stolen"}) == ("a", "b")
    assert len(believed([str(number) for number in range(100)], ())) == MOST_KIDS


@pytest.mark.parametrize("name", ["", " orders", "orders\n", "x" * 65, "or\x1bders"])
def test_a_name_that_the_issuer_would_not_take_is_refused_at_the_start(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        require_name(name)
    assert require_name("주문 service") == "주문 service"


def test_the_steps_have_the_names_of_the_protocol() -> None:
    assert tuple(Step) == BY
