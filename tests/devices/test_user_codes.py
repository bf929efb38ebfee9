"""Codes that people read and type."""

from math import log2

import pytest

from authserver.devices.user_codes import LENGTH, LETTERS, new_user_code, shown, typed


def test_code_has_34_bits_and_spells_no_word() -> None:
    assert LENGTH * log2(len(LETTERS)) > 34
    assert not set(LETTERS) & set("AEIOUY0123456789")
    made = {new_user_code() for _ in range(100)}
    assert len(made) == 100
    assert all(len(code) == LENGTH and set(code) <= set(LETTERS) for code in made)


def test_code_is_shown_in_two_halves_and_read_back() -> None:
    code = new_user_code()
    assert shown(code) == f"{code[:4]}-{code[4:]}"
    assert typed(shown(code)) == code


@pytest.mark.parametrize(
    "text", ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "B-C-D-F-G-H-J-K", "BCDF\u2011GHJK", "bcdf\u2013ghjk"]
)
def test_it_does_not_matter_how_it_is_typed(text: str) -> None:
    assert typed(text) == "BCDFGHJK"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BCDF-GHJ",
        "BCDF-GHJKL",
        "ABCD-EFGH",
        "BCDF-GHJ1",
        "ＢＣＤＦＧＨＪＫ",
        "ßßßß",
        "B" * 65,
        "BCDF\0GHJK",
    ],
)
def test_what_is_no_code_is_none(text: str) -> None:
    assert typed(text) is None
