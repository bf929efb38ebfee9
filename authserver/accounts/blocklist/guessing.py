"""What a password is worth: the fewest parts it takes to spell it.

A length limit alone asks for `passwordpassword`, `qwerty123456789` and `김철수19901225!!`. Whoever guesses tries words,
dates, sequences, walks over the keyboard and repetitions, so each of these is one or two parts however long it is;
whatever else is one part per character:

- a word of the list, also in 1337 letters, or a date: `WORD`;
- a word the attacker knows anyway (the user's name, the service's name): 1;
- a continuation: characters that each lie one and the same small step from the one before, or from the one two, three
  or four before (`1q2w3e`, `1qaz2wsx`), or repeat what came up to 32 characters before: 1.

The whole password is judged, never a word inside it (NIST 800-63B-4 §3.1.1.2): four words of the list are fine.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize

from authserver.accounts.blocklist.keyboard import SAME, Step, steps, typed

WORD: Final = 2  # the list has some 2^12 words, and two random letters some 2^9
SHORTEST_WORD: Final = 3
WALK_STRIDES: Final = 4
REPEAT_STRIDES: Final = 32

SEPARATORS: Final = re.compile(r"[\s_.,-]+")
DATE: Final = re.compile(
    r"(19|20)[0-9]{2}|((19|20)?[0-9]{2})?(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])", re.ASCII
)
DATE_LENGTHS: Final = (4, 6, 8)
PLAIN: Final = str.maketrans("@4830$57!", "aabeossti")
READINGS: Final = (PLAIN | {ord("1"): "i"}, PLAIN | {ord("1"): "l"})


def fold(text: str) -> str:
    """Answer what is left when case, width, the keyboard's language and separators do not count."""
    return SEPARATORS.sub("", normalize("NFKC", typed(text)).casefold())


@dataclass(frozen=True, slots=True)
class Guesser:
    """Somebody who knows a list of words, and about this account some more."""

    words: Collection[str]
    longest: int
    known: Collection[str] = ()

    def worth(self, text: str, enough: int) -> int:
        """Count the parts of a folded text; counting ends at `enough`, so a good password takes no longer."""
        runs = Runs(text)
        reached: list[set[int]] = [{0}] + [set() for _ in range(enough + WORD)]  # by so many parts
        seen: set[int] = set()
        for parts in range(enough):
            if len(text) in reached[parts]:
                return parts
            for start in sorted(reached[parts] - seen):
                for end, price in self._ways(text, start, runs):
                    reached[parts + price].add(end)
            seen |= reached[parts]
        return enough

    def _ways(self, text: str, start: int, runs: "Runs") -> Iterator[tuple[int, int]]:
        yield start + 1, 1
        for end in runs.ends(start):
            yield end, 1
        for end in self._words(text, start):
            yield end, WORD
        for word in self.known:
            if text.startswith(word, start):
                yield start + len(word), 1

    def _words(self, text: str, start: int) -> Iterator[int]:
        rest = text[start : start + max(self.longest, *DATE_LENGTHS)]
        for reading in {rest, *(rest.translate(each) for each in READINGS)}:
            for length in range(SHORTEST_WORD, len(rest) + 1):
                if reading[:length] in self.words:
                    yield start + length
        for length in DATE_LENGTHS:
            if DATE.fullmatch(rest[:length]):
                yield start + len(rest[:length])


class Runs:
    """The continuations in one text. Each is walked once, so that a long text made of them costs no more."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._walked: dict[tuple[int, Step], range] = {}

    def ends(self, start: int) -> Iterator[int]:
        """Answer where the continuations end that begin at `start`."""
        for stride in range(1, min(start, REPEAT_STRIDES) + 1):
            for step in self._steps(start, stride):
                end = self._end(start, stride, step)
                yield end
                yield end - 1  # the last character may belong to what follows: `abcd` + `eagle`

    def _steps(self, position: int, stride: int) -> Collection[Step]:
        before, here = self._text[position - stride], self._text[position]
        if stride <= WALK_STRIDES:
            return steps(before, here)
        return (SAME,) if before == here else ()

    def _end(self, start: int, stride: int, step: Step) -> int:
        walked = self._walked.get((stride, step), range(0))
        if start not in walked:
            end = start + 1
            while end < len(self._text) and step in self._steps(end, stride):
                end += 1
            walked = self._walked[stride, step] = range(start, end)
        return walked.stop
