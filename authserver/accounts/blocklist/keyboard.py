"""What the fingers do: Hangul as the keys that type it, and the steps that make a walk over the keyboard.

Half of Korean passwords are Korean words typed with the keyboard set to English: 비밀번호 is `qlalfqjsgh`. The keys
follow from the syllable by arithmetic (Unicode §3.12, conjoining jamo behaviour), for the standard layout 두벌식
(KS X 5002), so the list holds each word once, in Hangul.
"""

from typing import Final

SYLLABLES: Final = range(0xAC00, 0xD7A4)
LETTERS: Final = range(0x3131, 0x3164)  # ㄱ … ㅣ on their own, as in ㅋㅋㅋ

Keys = tuple[str, ...]
INITIALS: Final[Keys] = tuple("rRseEfaqQtTdwWczxvg")
VOWELS: Final[Keys] = (*"koiOjpuPh", "hk", "ho", "hl", *"yn", "nj", "np", "nl", *"bm", "ml", "l")
FINALS: Final[Keys] = (
    *("", "r", "R", "rt", "s", "sw", "sg", "e", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg"),
    *("a", "q", "qt", *"tTdwczxvg"),
)
ALONE: Final[Keys] = (  # in the order of Unicode: ㄱ ㄲ ㄳ …, then the vowels
    *("r", "R", "rt", "s", "sw", "sg", "e", "E", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg"),
    *("a", "q", "Q", "qt", *"tTdwWczxvg", *VOWELS),
)

ROWS: Final = (
    ("1234567890-=", "!@#$%^&*()_+"),
    ("qwertyuiop[]", "QWERTYUIOP{}"),
    ("asdfghjkl;'", 'ASDFGHJKL:"'),
    ("zxcvbnm,./", "ZXCVBNM<>?"),
)
PLACES: Final = {
    key: (y, x) for y, row in enumerate(ROWS) for shift in row for x, key in enumerate(shift)
}  # of each key and of what it types with Shift

Step = tuple[str, int, int]
SAME: Final[Step] = ("same", 0, 0)


def typed(text: str) -> str:
    """Answer the text with Hangul replaced by the keys that type it."""
    return "".join(map(_keys, text))


def _keys(character: str) -> str:
    code = ord(character)
    if code in SYLLABLES:
        rest, final = divmod(code - SYLLABLES.start, len(FINALS))
        initial, vowel = divmod(rest, len(VOWELS))
        return INITIALS[initial] + VOWELS[vowel] + FINALS[final]
    if code in LETTERS:
        return ALONE[code - LETTERS.start]
    return character


def steps(one: str, other: str) -> set[Step]:
    """Answer the small steps that lead from one character to another: none, if nobody walks that way."""
    if one == other:
        return {SAME}
    found: set[Step] = set()
    counted = ord(other) - ord(one)
    if abs(counted) == 1 and one.isalnum() and other.isalnum():
        found.add(("count", counted, 0))
    if one in PLACES and other in PLACES:
        down, right = (b - a for a, b in zip(PLACES[one], PLACES[other], strict=True))
        if abs(down) <= 1 and abs(right) <= 1:
            found.add(("walk", down, right))
    return found
