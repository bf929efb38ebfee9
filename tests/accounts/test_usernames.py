"""L04: one account per name, however it is typed; and nothing but an answer or `InvalidUsername` on any text."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authserver.accounts.usernames import MAXIMUM_LENGTH, BadName, InvalidUsername, canonical

anything = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates as well


@pytest.mark.parametrize(
    "typed",
    [
        "alice",
        "Alice",
        "ALICE",
        "\uff21\uff2c\uff29\uff23\uff25",  # full width
    ],
)
def test_case_and_width_do_not_make_another_account(typed: str) -> None:
    assert canonical(typed) == "alice"


@pytest.mark.parametrize("name", ["ren\u00e9", "\ud55c\uae00", "\u0439\u043e\u0433\u0443\u0440\u0442"])
def test_composed_and_decomposed_letters_are_one_account(name: str) -> None:
    decomposed = unicodedata.normalize("NFD", name)
    assert decomposed != name
    assert canonical(decomposed) == canonical(name) == name


def test_half_width_katakana_is_the_same_name_as_full_width() -> None:
    assert canonical("\uff8a\uff9d\uff76\uff78") == canonical("\u30cf\u30f3\u30ab\u30af")


def test_turkish_letters_do_not_fall_together_with_i() -> None:
    """PRECIS maps by `toLower` without a locale: `İ` keeps its dot as a mark, and `ı` is no `i`."""
    names = {canonical(text) for text in ("i", "I", "\u0130", "\u0131")}
    assert names == {"i", "i\u0307", "\u0131"}


@pytest.mark.parametrize(
    "name", ["alice@example.com", "o'brien", "first.last+tag", "a_b-c", "1", "홍길동", "김철수2"]
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert canonical(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "al\u200bice",  # zero width space
        "al\u200dice",  # zero width joiner
        "al\u2060ice",  # word joiner
        "al\u00adice",  # soft hyphen
        "alice\ufeff",  # byte order mark
        "alice\ufe0f",  # variation selector
        "\u202ealice",  # right-to-left override
        "\u2066alice\u2069",  # isolate
    ],
)
def test_invisible_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidUsername) as refused:
        canonical(text)
    assert refused.value.reason is BadName.CHARACTER


@pytest.mark.parametrize(
    "text", ["alice\0", "\ud800", "a\x07b", "\u2460", "\ufb01", "\u314b\u314b", "a\u0378", "\U0001f600"]
)
def test_controls_half_characters_and_look_again_characters_are_refused(text: str) -> None:
    with pytest.raises(InvalidUsername) as refused:
        canonical(text)
    assert refused.value.reason is BadName.CHARACTER


@pytest.mark.parametrize("text", [" ", "alice ", "alice smith", "alice\u00a0smith", "alice\u3000smith"])
def test_spaces_are_refused_by_that_name(text: str) -> None:
    with pytest.raises(InvalidUsername) as refused:
        canonical(text)
    assert refused.value.reason is BadName.SPACE


@pytest.mark.parametrize("text", ["\u05d0alice", "alice\u05d0", "\u0661\u05d0"])
def test_names_that_mix_directions_are_refused(text: str) -> None:
    with pytest.raises(InvalidUsername) as refused:
        canonical(text)
    assert refused.value.reason is BadName.DIRECTION


def test_a_name_written_from_right_to_left_is_fine() -> None:
    assert canonical("\u05d3\u05d5\u05d3") == "\u05d3\u05d5\u05d3"


def test_letters_that_look_alike_are_different_accounts() -> None:
    """Known and left: PRECIS has no confusables. A Cyrillic `а` is no Latin `a`, so neither can pose as the other's row."""
    assert canonical("\u0430lice") != canonical("alice")


def test_nothing_is_no_name() -> None:
    with pytest.raises(InvalidUsername) as refused:
        canonical("")
    assert refused.value.reason is BadName.EMPTY


@pytest.mark.parametrize("text", ["a" * 256, "\u0130" * 128, "a" * 10_000_000])
def test_long_names_are_refused_also_if_only_the_canonical_form_is_long(text: str) -> None:
    with pytest.raises(InvalidUsername) as refused:
        canonical(text)
    assert refused.value.reason is BadName.TOO_LONG


def test_a_refusal_does_not_repeat_what_was_typed() -> None:
    with pytest.raises(InvalidUsername) as refused:
        canonical("<script>\u202e")
    assert "script" not in f"{refused.value}"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@settings(deadline=None)
@given(anything)
def test_any_text_has_one_stable_bounded_form_or_none(text: str) -> None:
    try:
        name = canonical(text)
    except InvalidUsername:
        return
    assert canonical(name) == name
    assert 0 < len(name) <= MAXIMUM_LENGTH
    assert name == unicodedata.normalize("NFC", name).lower()
    name.encode()


@settings(deadline=None)
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1))
def test_no_ascii_name_is_told_apart_by_case(text: str) -> None:
    assert canonical(text) == canonical(text.upper()) == text.lower()
