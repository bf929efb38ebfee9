"""L06, L08, L09: what may be a password, in which one form, and which passwords everybody tries first."""

import unicodedata
from typing import SupportsIndex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authserver.accounts.blocklist import Blocklist
from authserver.accounts.blocklist.guessing import fold
from authserver.accounts.blocklist.keyboard import typed
from authserver.accounts.passwords import (
    MAXIMUM_BYTES,
    BadText,
    PasswordRules,
    UnacceptablePassword,
    Weakness,
    prepare,
)

RULES = PasswordRules(minimum_length=8)
NIST = PasswordRules(minimum_length=15, blocklist=RULES.blocklist)
anything = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates as well


def refuse(text: str, rules: PasswordRules = RULES) -> Weakness | None:
    return rules.refuse(
        prepare(text), username="alice.liddell@example.com", context_words=["Acme Gateway", "Wonder"]
    )


# The one form


def test_what_was_set_on_one_keyboard_can_be_typed_on_another() -> None:
    on_a_mac, on_windows = unicodedata.normalize("NFD", "café 비밀"), "café 비밀"
    assert on_a_mac != on_windows
    assert prepare(on_a_mac) == prepare(on_windows)


def test_a_space_is_a_space() -> None:
    assert prepare("a\u00a0b\u3000c") == "a b c"


@pytest.mark.parametrize(
    "text", [" leading", "trailing ", "CaSe", "ﬁ①Ａ", "ㅋㅋㅋ", "🐢🥕", "<script>", "a" * 1_024]
)
def test_nothing_else_is_changed_or_cut(text: str) -> None:
    assert prepare(text) == text


@pytest.mark.parametrize("text", ["a\0b", "a\nb", "\ud800", "a\u200bb", "\u202eb", "a\u0378"])
def test_what_no_keyboard_types_is_refused(text: str) -> None:
    with pytest.raises(UnacceptablePassword) as refused:
        prepare(text)
    assert refused.value.reason is BadText.CHARACTER
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_nothing_is_no_password() -> None:
    with pytest.raises(UnacceptablePassword) as refused:
        prepare("")
    assert refused.value.reason is BadText.EMPTY


def test_four_kilobytes_are_taken_and_no_byte_more() -> None:
    assert len(prepare("x" * MAXIMUM_BYTES)) == MAXIMUM_BYTES
    for text in ("x" * (MAXIMUM_BYTES + 1), "비" * (MAXIMUM_BYTES // 3 + 1), "\ud800" * 50_000_000):
        with pytest.raises(UnacceptablePassword) as refused:
            prepare(text)
        assert refused.value.reason is BadText.TOO_LONG


@settings(deadline=None)
@given(anything)
def test_any_text_has_one_stable_form_or_none(text: str) -> None:
    try:
        password = prepare(text)
    except UnacceptablePassword:
        return
    assert prepare(password) == password
    assert password
    password.encode()


# Length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("q7$Xw!m2Zr9&Kt", Weakness.TOO_SHORT),
        ("q7$Xw!m2Zr9&Kt4", None),
        ("거북이는당근을매우천천히먹었다네", None),
        ("q7$Xw!m2" * 8, None),
    ],
)
def test_length_is_counted_in_code_points(text: str, expected: Weakness | None) -> None:
    assert refuse(text, NIST) is expected


def test_a_password_has_a_longest_length() -> None:
    text = "q7$Xw!m2Zr9&Kt4"
    assert refuse(text, PasswordRules(8, 15, RULES.blocklist)) is None
    assert refuse(text + "u", PasswordRules(8, 15, RULES.blocklist)) is Weakness.TOO_LONG


@pytest.mark.parametrize(
    "text", ["hvkzmqwp", "jtxwbgqdnfrcmzk", "839201746551738", "ㅊㅕㄹㄱㅂㅁㅇㅎ", "&!;*^|(~"]
)
def test_no_kinds_of_characters_are_asked_for(text: str) -> None:
    assert refuse(text) is None


# What everybody tries first


@pytest.mark.parametrize(
    "text",
    [
        "password",
        "PASSWORD",
        "ｐａｓｓｗｏｒｄ",
        "P@ssw0rd",
        "Password2026!",
        "!!2026Password!!",
        "p-a-s-s-w-o-r-d",
        "passwordpassword",
        "Summer2026!Summer2026!",
        "iloveyou password 2026",
        "MonkeyDragonSunshine1",
        "1l0veY0u1l0veY0u",
        "correct horse battery staple",
        "letmein19900401",
        "................",
    ],
)
def test_a_common_password_stays_common_in_any_disguise(text: str) -> None:
    assert refuse(text) is Weakness.TOO_COMMON


@pytest.mark.parametrize(
    "text",
    [
        "aaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "q7$q7$q7$q7$q7$",
        "123456789012345",
        "987654321098765",
        "abcdefghijklmnop",
        "112233445566778899",
        "a1b2c3d4e5f6g7h8",
        "11111111aaaaaaaa",
    ],
)
def test_repetition_and_counting_add_nothing(text: str) -> None:
    assert refuse(text, NIST) is Weakness.TOO_COMMON


@pytest.mark.parametrize(
    "text",
    [
        "qwerty123456789",
        "qwertyuiopasdfghjkl",
        "poiuytrewqlkjhgfdsa",
        "1qaz2wsx3edc4rfv",
        "!QAZ2wsx#EDC4rfv",
        "1q2w3e4r5t6y7u8i",
        "qazwsxedcrfvtgb",
        "zaq12wsxcde34rfv",
        "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎ",
        "ㅁㄴㅇㄹㅁㄴㅇㄹㅁㄴㅇㄹㅁㄴㅇㄹ",
        "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ",
    ],
)
def test_walks_over_the_keyboard_add_nothing(text: str) -> None:
    assert refuse(text, NIST) is Weakness.TOO_COMMON


@pytest.mark.parametrize(
    ("hangul", "keys"),
    [
        ("비밀번호", "qlalfqjsgh"),
        ("안녕하세요", "dkssudgktpdy"),
        ("사랑해", "tkfkdgo"),
        ("까치의 뺨", "Rkcldml Qia"),
        ("닭값 읽어", "ekfrrkqt dlfrdj"),
        ("괜찮아 뭐", "rhoscksgdk anj"),
        ("ㅋㅋ ㄳ ㅠㅢ", "zz rt bml"),
        ("힣가", "glgrk"),
        ("mixed 각1", "mixed rkr1"),
    ],
)
def test_hangul_is_the_keys_that_type_it(hangul: str, keys: str) -> None:
    assert typed(hangul) == keys


@pytest.mark.parametrize(
    "text",
    [
        "비밀번호비밀번호",
        "qlalfqjsghqlalfqjsgh",
        "QlalfQjsgh2026!!",
        "dkssudgktpdy1234",
        "안녕하세요 사랑해요 1004",
        "tkfkdgotkfkdgotkfkdgo",
        "김철수19901225!",
        "rlacjftn19901225",
        "동해물과백두산이마르고닳도록",
        "ehdgoanfrhkqorentksdl",
        "무궁화꽃이피었습니다123",
        "가나다라마바사아자차카타파하",
        "방탄소년단 보라해 0613",
        "Gangnamstyle2012!!",
    ],
)
def test_korean_words_are_common_in_hangul_and_as_their_keys(text: str) -> None:
    assert refuse(text) is Weakness.TOO_COMMON


@pytest.mark.parametrize(
    "text",
    [
        "mandolin velocity crumpet oxide",
        "dragon password turtle monkey summer",
        "정육면체 모양 수세미 열두 켤레",
        "x7#kQ9!vB2pLm4$",
        "my password is a purple hippocampus",
        "Zrt8-Password-qMw4",
    ],
)
def test_the_whole_password_is_judged_never_a_word_inside_it(text: str) -> None:
    assert refuse(text, NIST) is None


@pytest.mark.parametrize(
    "text", ["alice@example.com", "alice.liddell@example.com", "LIDDELL-alice-1990!", "Liddell99x!Liddell"]
)
def test_the_own_name_adds_nothing(text: str) -> None:
    assert refuse(text) in {Weakness.CONTAINS_NAME, Weakness.TOO_COMMON}
    stranger = RULES.refuse(prepare("Liddell-9x!"), username="bob", context_words=[])
    assert stranger is None
    assert refuse("Liddell-9x!") is Weakness.CONTAINS_NAME


def test_the_name_of_the_service_adds_nothing() -> None:
    assert refuse("acme-gateway-2026") is Weakness.CONTAINS_SERVICE
    assert refuse("Wonder@lice2026") is not None
    assert RULES.refuse(prepare("acme-gateway-2026"), username="bob", context_words=[]) is None


def test_a_name_typed_as_its_keys_is_still_the_name() -> None:
    as_keys = prepare("tjtkddnrrkdgns!9")
    assert RULES.refuse(as_keys, username="서상욱강훈", context_words=[]) is Weakness.CONTAINS_NAME


def test_a_good_password_may_have_the_own_name_in_it() -> None:
    assert refuse("alice likes purple turnips") is None


@pytest.mark.parametrize("name", ["", "a", "@", "..", "\u00e9"])
def test_a_name_too_short_to_mean_anything_refuses_nothing(name: str) -> None:
    assert RULES.refuse(prepare("aq7$Xa!m2Z@r9"), username=name, context_words=[name]) is None


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(max_size=20))
def test_any_password_gets_an_answer(text: str, name: str) -> None:
    try:
        password = prepare(text)
    except UnacceptablePassword:
        return
    RULES.refuse(password, username=name, context_words=[name])


@pytest.mark.parametrize(
    "text", ["12" * 100 + "21" * 100 + "1122" * 150, ("a" * 32 + "b") * 31, "비밀번호" * 256, "ﷺ" * 1_024]
)
def test_the_longest_passwords_are_judged_without_a_long_search(text: str) -> None:
    """Each run is walked once: else a password made of them keeps the server busy for whoever sends it."""
    looks = 0

    class Watched(str):
        __slots__ = ()

        def __getitem__(self, key: SupportsIndex | slice) -> str:
            nonlocal looks
            looks += 1
            return super().__getitem__(key)

    RULES.blocklist.worth(Watched(fold(text)), (), 8)
    assert looks < 80 * len(fold(text))  # two for each of 32 strides, and the rest


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("x", 1),
        ("xkv", 3),
        ("eagle", 2),
        ("3agl3", 2),
        ("abcd", 2),  # a, and on
        ("abcdeagle", 4),  # a, and on to d, eagle
        ("eagleeagleeagle", 3),  # eagle, and again
        ("1990", 2),
        ("19901331", 6),  # 1990 and four digits, the first two alike: there is no 13th month
        ("ywvjm", 5),
    ],
)
def test_a_password_is_worth_the_fewest_parts_that_spell_it(text: str, parts: int) -> None:
    assert Blocklist(lambda: ["eagle"]).worth(text, (), 20) == parts


# The list


def test_the_list_comes_with_the_package_and_has_thousands_of_words() -> None:
    assert len(Blocklist().words) > 4_000


def test_the_list_is_read_once_and_only_when_it_is_asked() -> None:
    reads: list[None] = []

    def read() -> list[str]:
        reads.append(None)
        return ["turnip"]

    blocklist = Blocklist(read)
    assert reads == []
    assert [blocklist.worth("turnip", (), 8) for _ in range(3)] == [2, 2, 2]
    assert len(reads) == 1


def test_every_word_of_the_list_is_common_by_itself() -> None:
    blocklist = Blocklist()
    assert all(blocklist.worth(word, (), 3) <= 2 for word in blocklist.words)


def test_case_width_separators_and_the_keyboards_language_are_folded() -> None:
    assert fold("Ｐａｓｓ Word_비-밀.") == "passwordqlalf"
