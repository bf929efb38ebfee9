"""The way back after a sign-in: what is not allowed is told to the operator, once and without what is in it."""

from typing import Any

import pytest

from authserver.pages.way_back import MOST_TOLD, WayBack

APP = "https://app.example.com"


@pytest.fixture
def way_back() -> WayBack:
    return WayBack(frozenset({APP}))


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


def test_what_is_allowed_or_not_asked_for_is_nothing_to_tell(
    way_back: WayBack, caplog: pytest.LogCaptureFixture
) -> None:
    targets = (None, "", "/account", f"{APP}/x")
    assert [way_back.to(target) for target in targets] == [None, None, "/account", f"{APP}/x"]
    assert told(caplog) == []


def test_a_forgotten_origin_is_told_once_without_what_stood_around_it(
    way_back: WayBack, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/orders?mail=a@b.example", "/"):
        assert way_back.to(f"https://name:secret@forgotten.example:8443{path}") is None
    (line,) = told(caplog)
    assert line["asked_for"] == "https://forgotten.example:8443"
    assert "allowed_origins" in line["advice"]
    assert "secret" not in str(line)
    assert "mail" not in str(line)


@pytest.mark.parametrize("target", ["javascript:alert(1)", "https://[::1", "nowhere", "\\\\evil.example"])
def test_what_is_no_address_is_not_repeated(
    way_back: WayBack, caplog: pytest.LogCaptureFixture, target: str
) -> None:
    assert way_back.to(target) is None
    assert [line["asked_for"] for line in told(caplog)] == ["no address"]


def test_whoever_asks_for_many_fills_no_log(way_back: WayBack, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(MOST_TOLD + 9):
        way_back.to(f"https://{number}.evil.example/")
    assert len(told(caplog)) == MOST_TOLD
