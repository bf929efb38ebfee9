"""The description of a visitor's request: read once, and refused where a proxy would not say it."""

import pytest
from starlette.types import Scope

from authserver.web.forwarded import MOST_HEADERS, TooManyHeaders, read_forwarded

DESCRIBED = [
    (b"x-forwarded-method", b"GET"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"App.example.com"),
    (b"x-forwarded-uri", b"/"),
]


def scope(*more: tuple[bytes, bytes]) -> Scope:
    return {"headers": [*DESCRIBED, *more]}


def test_values_of_one_name_stay_apart_and_in_their_order() -> None:
    found = read_forwarded(scope((b"a", b"1"), (b"b", b"2"), (b"a", b"3, 4")))
    assert [found.header_values(name) for name in ("a", "b", "c")] == [("1", "3, 4"), ("2",), ()]
    assert (found.origin, found.header_values("host")) == ("https://app.example.com", ("App.example.com",))


def test_so_many_headers_are_read_and_not_one_more() -> None:
    room = MOST_HEADERS - len(DESCRIBED)
    assert len(read_forwarded(scope(*[(b"a", b"b")] * room)).header_values("a")) == room
    with pytest.raises(TooManyHeaders) as refused:
        read_forwarded(scope(*[(b"a", b"b")] * (room + 1)))
    assert refused.value.status == 431
