import tracemalloc
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.resource.event_stream import EventStream, ServerSentEvent, TooLarge


def read(*pieces: bytes, max_bytes: int = 1_000) -> list[ServerSentEvent]:
    stream = EventStream(max_bytes)
    return [event for piece in pieces for event in stream.feed(piece)]


def test_an_event_has_a_name_an_id_and_data() -> None:
    stream = EventStream(1_000)
    events = list(stream.feed(b"event: revocations\nid: 19\ndata: x\n\n"))
    assert events == [ServerSentEvent("revocations", "x", "19")]
    assert not stream.is_midway


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_line_ends_in_lf_cr_or_both(end: bytes) -> None:
    assert read(end.join((b"event: a", b"data: 1", b"", b"data: 2", b"", b""))) == [
        ("a", "1", ""),
        ("message", "2", ""),
    ]


def test_a_lone_cr_ends_an_event_without_waiting_for_what_comes_next() -> None:
    stream = EventStream(100)
    assert [event.data for event in stream.feed(b"data: 1\r\r")] == ["1"]
    assert [event.data for event in stream.feed(b"\ndata: 2\n\n")] == ["2"]


def test_lines_of_data_are_joined_and_one_space_is_taken_away() -> None:
    assert read(b"data:a\ndata:  b\ndata\n\n") == [("message", "a\n b\n", "")]


def test_comments_and_unknown_fields_say_nothing() -> None:
    assert read(b": data: x\nfoo: bar\n:\n\ndata: 1\n\n") == [("message", "1", "")]


def test_without_data_there_is_no_event_but_the_id_is_kept() -> None:
    assert read(b"event: a\nid: 7\n\ndata: 1\n\n") == [("message", "1", "7")]


def test_an_id_with_a_null_in_it_is_none() -> None:
    assert read(b"id: 7\ndata: 1\nid: 8\0\n\n") == [("message", "1", "7")]


@pytest.mark.parametrize(
    ("value", "seconds"), [(b"1500", 1.5), (b"-1", None), (b"1e3", None), (b"9" * 10, None), (b"", None)]
)
def test_the_server_may_say_when_to_come_back(value: bytes, seconds: float | None) -> None:
    stream = EventStream(100)
    assert not list(stream.feed(b"retry: " + value + b"\n\n"))
    assert stream.retry == seconds


def test_a_byte_order_mark_at_the_start_is_no_part_of_a_name() -> None:
    assert read(b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n") == [("message", "1", "")]


def test_what_is_not_utf_8_becomes_the_replacement_character() -> None:
    assert read(b"data: \xff\n\n") == [("message", "\ufffd", "")]


@pytest.mark.parametrize("endless", [b"x" * 64, b"data: x\n", b"data:\n", b": comment without end"])
def test_what_does_not_end_is_given_up(endless: bytes) -> None:
    stream = EventStream(1_000)
    with pytest.raises(TooLarge):
        deque((list(stream.feed(endless)) for _ in range(1_100)), maxlen=0)
    assert len(stream._rest) + len(stream._data) <= 1_100


def test_a_long_event_takes_as_much_room_as_it_is_long() -> None:
    """However short its lines are: an object for each would be thirty times as much."""
    stream, piece = EventStream(2_000_000), b"data:a\n" * 1_000
    tracemalloc.start()
    for _ in range(500):
        assert not list(stream.feed(piece))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2 * 1_000_000
    [event] = stream.feed(b"\n")
    assert event.data == "\n".join("a" * 500_000)


def test_comments_without_end_take_no_room() -> None:
    stream = EventStream(100)
    for _ in range(1_000):
        assert not list(stream.feed(b": still here\n"))
    assert not stream.is_midway


@given(st.binary(max_size=60).flatmap(lambda data: st.tuples(st.just(data), st.integers(0, len(data)))))
def test_where_a_piece_ends_makes_no_difference(cut: tuple[bytes, int]) -> None:
    data, at = cut
    data = data.replace(b"\0", b"\n").replace(b"\1", b"data:")
    assert read(data[:at], data[at:]) == read(data) == read(*(data[n : n + 1] for n in range(len(data))))
