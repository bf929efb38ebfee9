import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.resource.strict_json import LARGEST_INTEGER, MAX_DEPTH, MalformedJSON, strict_json

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), json_values, max_size=6), st.booleans())
def test_what_python_writes_is_read_back(members: dict[str, Any], ascii_only: bool) -> None:
    assert strict_json(json.dumps(members, ensure_ascii=ascii_only).encode()) == members


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_an_object_or_malformed(document: bytes) -> None:
    with contextlib.suppress(MalformedJSON):
        assert isinstance(strict_json(document), dict)


@pytest.mark.parametrize(
    "document",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":[{"b":1,"b":2}]}',
        b'{"a":1,"b":"\\":","a" :2}',
    ],
)
def test_repeated_members_are_refused_at_every_depth(document: bytes) -> None:
    with pytest.raises(MalformedJSON, match="repeated"):
        strict_json(document)


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9007199254740992", "9" * 5000]
)
def test_numbers_that_parsers_disagree_about_are_refused(text: str) -> None:
    with pytest.raises(MalformedJSON):
        strict_json(b'{"a":%s}' % text.encode())


def test_the_largest_exact_integer_is_read() -> None:
    assert strict_json(b'{"a":9007199254740991,"b":-9007199254740991}')["a"] == LARGEST_INTEGER


@pytest.mark.parametrize(
    "text", [b'{"a":"\\ud800"}', b'{"\\udc00":1}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xff"}']
)
def test_text_that_is_no_unicode_is_refused(text: bytes) -> None:
    with pytest.raises(MalformedJSON):
        strict_json(text)


def test_a_surrogate_pair_is_text() -> None:
    assert strict_json(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    "document", [b"", b" ", b"[]", b'"a"', b"1", b"null", b"{} {}", b'{"a":1}x', b"\xef\xbb\xbf{}"]
)
def test_only_one_object_is_accepted(document: bytes) -> None:
    with pytest.raises(MalformedJSON):
        strict_json(document)


def test_whitespace_around_and_inside_is_json() -> None:
    assert strict_json(b' \r\n{ "a" :\t1 } \n') == {"a": 1}


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [MAX_DEPTH, 1_000, 100_000])
def test_deep_nesting_is_refused_and_exhausts_nothing(opening: str, closing: str, depth: int) -> None:
    with pytest.raises(MalformedJSON):
        strict_json(f'{{"a":{opening * depth}1{closing * depth}}}'.encode())


def test_many_brackets_side_by_side_are_not_deep() -> None:
    assert len(strict_json(b'{"a":[' + b"[]," * 50 + b"[]]}")["a"]) == 51


def test_the_error_does_not_carry_the_document() -> None:
    with pytest.raises(MalformedJSON) as caught:
        strict_json(b'{"secret":"hunter2",}')
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
