"""The encoding of a list, against the draft's own vectors and a reader that shares no code with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authserver.status_lists.bits import SIZE, Bits, encode
from tests.status_lists.reader import unpacked, value_at

FILE = Path(__file__).parents[2].parent / "shared" / "vectors" / "token-status-list" / "tsl_vectors.json"


def vectors(*, bits: int | None = None) -> list[Any]:
    if not FILE.is_file():
        return [
            pytest.param(None, marks=pytest.mark.skip(reason="no status list vectors beside the checkout"))
        ]
    found = json.loads(FILE.read_text())["vectors"]
    return [vector for vector in found if bits in {None, vector["bits"]}]


@pytest.mark.parametrize("vector", vectors())
def test_the_drafts_vectors_are_read_as_it_says(vector: dict[str, Any]) -> None:
    bits, packed = vector["status_list"]["bits"], unpacked(vector["status_list"]["lst"])
    assert len(packed) * 8 // bits == vector["size"]
    told = {int(index): value_at(packed, bits, int(index)) for index in vector["statuses"]}
    assert told == {int(index): value for index, value in vector["statuses"].items()}
    assert unpacked(encode(packed)) == packed


@pytest.mark.parametrize("vector", vectors(bits=1))
def test_bits_that_are_put_make_the_drafts_list(vector: dict[str, Any]) -> None:
    made = Bits()
    for index, value in vector["statuses"].items():
        made.put(int(index), invalid=value == 1)
    theirs = unpacked(vector["status_list"]["lst"])
    assert unpacked(made.encoded()) == theirs.ljust(SIZE // 8, b"\0"), "ours all have one size"


@given(st.lists(st.tuples(st.integers(0, SIZE - 1), st.booleans()), max_size=40))
@settings(max_examples=40, deadline=None)
def test_whatever_is_put_last_is_what_a_reader_finds(puts: list[tuple[int, bool]]) -> None:
    made = Bits()
    for index, invalid in puts:
        made.put(index, invalid=invalid)
    packed = unpacked(made.encoded())
    last = dict(puts)
    assert {index: value_at(packed, 1, index) == 1 for index in last} == last
    assert sum(byte.bit_count() for byte in packed) == sum(last.values())
    assert len(packed) * 8 == SIZE


def test_only_a_change_makes_another_version() -> None:
    made = Bits()
    versions = [made.version]
    for invalid in (False, True, True, False):
        made.put(9, invalid=invalid)
        versions.append(made.version)
    assert versions == [0, 0, 1, 1, 2]


def test_a_list_without_revocations_is_small_and_one_with_a_percent_of_them_is_bounded() -> None:
    made = Bits()
    assert len(made.encoded()) < 300
    for index in range(0, SIZE, 100):
        made.put((index * 7919) % SIZE, invalid=True)
    assert len(made.encoded()) < 30_000
