"""The wire shape of a report: exactly this, and nothing near it."""

from typing import Any

import pytest

from authserver.services.said import Said, understood
from tests.services.saying import NOW, instance, report, said

LONG = "x" * 65


def test_a_report_is_understood() -> None:
    assert understood(report()) == said()


def test_keys_are_taken_in_order_and_once() -> None:
    found = understood(report(kids=["b", "a", "b"]))
    assert isinstance(found, Said)
    assert found.kids == ("a", "b")


@pytest.mark.parametrize("by", ["stream", "long_poll", "poll"])
def test_each_way_to_follow_is_known(by: str) -> None:
    assert isinstance(understood(report(by=by)), Said)


def test_names_of_other_languages_are_names() -> None:
    assert isinstance(understood(report(service="주문 서비스", instance="Größe-1")), Said)


NO_NAMES: list[Any] = ["", LONG, None, 7, True, [], {}]
NO_SERVICES: list[Any] = [
    "a\nb",
    "a\x00b",
    "\x1b[2J",
    "\u202eredro",
    "\ud800",
    " a",
    "a ",
    "\u00a0",
    "\u200b",
    "\x7f",
]
NO_SEQUENCES: list[Any] = [-1, True, False, 1.0, "7", None, [], 2**53, 10**40]
NO_KIDS: list[Any] = [None, "k1", {}, [7], [None], [""], [LONG], [["k1"]], ["k"] * 33, ["\n"]]
HOSTILE: list[dict[str, Any]] = [
    *({name: value} for name in ("service", "instance", "mark") for value in NO_NAMES),
    *({"service": value} for value in NO_SERVICES),
    *({"sequence": value} for value in NO_SEQUENCES),
    *({"kids": value} for value in NO_KIDS),
    *({"by": value} for value in ("", "Stream", "websocket", None, 1, ["stream"])),
    {"more": 1},
]


@pytest.mark.parametrize("wrong", HOSTILE, ids=ascii)
def test_anything_else_is_refused_in_words(wrong: dict[str, Any]) -> None:
    words = understood(report(**wrong))
    assert isinstance(words, str)
    assert words.isascii()
    assert words.isprintable()


@pytest.mark.parametrize("name", sorted(report()))
def test_no_member_may_be_left_out(name: str) -> None:
    without = {key: value for key, value in report().items() if key != name}
    assert isinstance(understood(without), str)


def test_an_instance_keeps_the_moment_at_which_it_first_said_where_it_stands() -> None:
    later = NOW.replace(minute=1)
    again = said().at(later, instance())
    assert (again.heard_at, again.seen_at, again.first_heard_at) == (NOW, later, NOW)
    with_other_keys = said(kids=["k3"]).at(later, instance())
    assert (with_other_keys.heard_at, with_other_keys.kids) == (NOW, ("k3",))


@pytest.mark.parametrize("moved", [{"sequence": 8}, {"sequence": 6}, {"mark": "other"}])
def test_an_instance_that_moved_is_heard_anew(moved: dict[str, Any]) -> None:
    later = NOW.replace(minute=1)
    assert said(**moved).at(later, instance()).heard_at == later
