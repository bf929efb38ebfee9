"""What people pick when they are asked for a password: our own list, used offline.

It is: the usual English passwords and what they are made of (first names, teams, brands, keyboard columns, phrases),
and Korean ones (names, love, food, places, K-pop, what the anthem begins with), written down from general knowledge.
Korean is kept in Hangul; `keyboard.py` works out how it looks on a keyboard that is set to English.

It is not: a list of breached passwords, nor a copy of anybody's. A breach list of a useful size does not fit a
package; a deployment that has one checks it besides. Nor does it hold variants: `guessing.py` sees through capitals,
1337, years, repetition and sequences, so a few thousand words stand for many millions of passwords.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from importlib.resources import files
from typing import Final

from authserver.accounts.blocklist.guessing import SHORTEST_WORD, Guesser, fold

LISTS: Final = ("english.txt", "korean.txt")


def packaged() -> Iterator[str]:
    """Read the words that come with the package; `#` begins a comment."""
    for name in LISTS:
        for line in files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines():
            yield from line.partition("#")[0].split()


class Blocklist:
    """A list of words, read when it is first asked."""

    def __init__(self, read: Callable[[], Iterable[str]] = packaged) -> None:
        self._read = read

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(word for word in map(fold, self._read()) if len(word) >= SHORTEST_WORD)

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.words), default=0)

    def worth(self, text: str, known: Collection[str], enough: int) -> int:
        """Count the parts of a folded password, for somebody who has this list and knows some words besides."""
        return Guesser(self.words, self.longest, known).worth(text, enough)
