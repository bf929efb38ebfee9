"""The picture of a run: what each key was and when, and what each verifier made of it.

Above, a lane for each key with its states. Below, a lane for each verifier: a dot where it first accepted a token of a
key, a red cross for every failure, and from the emergency on a strip for as long as it went on accepting the key.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from authserver.drill import svg
from authserver.drill.drill import Outcome
from authserver.drill.judgement import Verdict
from authserver.drill.lives import Life, lives
from authserver.drill.words import effect, headline, summary
from authserver.keyring.states import State

WIDTH: Final = 1120.0
LEFT: Final = 190.0
RIGHT: Final = 150.0
TOP: Final = 118.0
KEY_LANE: Final = 28.0
LANE: Final = 46.0
BAR: Final = 18.0
STRIP: Final = 5.0  # below a lane, where the dots do not hide it
DOT: Final = 6.5
BEFORE: Final = 4.0  # seconds shown of the time before the load
LETTER: Final = 7.0  # about the width of a letter, to know what fits into a bar
LEGEND: Final = {"still": "compromised key still accepted", "seen": "first token of a key accepted"}
CROSSES: Final = 40  # in one lane: more would be one red stripe

STYLE: Final = """
svg { color-scheme: light dark; font: 12px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif }
.paper { fill: #ffffff } text { fill: #1f2733 } .soft { fill: #5d6878 } .small { font-size: 10.5px; fill: #5d6878; paint-order: stroke; stroke: #ffffff; stroke-width: 3px }
.head { font-size: 20px; font-weight: 650 }
.on { font-size: 11px; fill: #ffffff } .on-next { font-size: 11px; fill: #1c4a8a } .bold { font-weight: 650 }
.next { fill: #cfe0f7 } .active { fill: #1f7a4d } .retired { fill: #8592a3 } .removed { fill: none; stroke: #a9b3c0; stroke-dasharray: 3 3 }
.compromised { fill: #c22f2f } .lane { fill: #eef1f5 } .grid { stroke: #dfe4ea } .mark { stroke: #8592a3; stroke-dasharray: 2 4 }
.alarm { stroke: #c22f2f; stroke-width: 1.5; stroke-dasharray: 5 3 } .alarmed { fill: #b02525; font-weight: 650 }
.seen { fill: #1f7a4d; stroke: #ffffff } .number { font-size: 9px; fill: #ffffff; font-weight: 650 } .still { fill: #e39b2d }
.failure { stroke: #d11a1a; stroke-width: 2.5; fill: none }
@media (prefers-color-scheme: dark) {
.paper { fill: #12161c } text { fill: #e3e8ef } .soft, .small { fill: #98a4b3 } .small { stroke: #12161c } .on { fill: #ffffff } .on-next { fill: #cfe2ff }
.next { fill: #234a7d } .active { fill: #23825a } .retired { fill: #5b6675 } .removed { stroke: #566170 }
.compromised { fill: #c63d3d } .lane { fill: #1c222b } .grid { stroke: #262e39 } .mark { stroke: #66717f }
.alarm { stroke: #ff6b6b } .alarmed { fill: #ff8585 } .seen { fill: #2a9668; stroke: #12161c } .number { fill: #ffffff } .still { fill: #c27f1d }
.failure { stroke: #ff5252 } }
"""


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns a moment into a place; what lies before the picture begins at its edge."""

    since: float
    until: float

    def x(self, moment: float) -> float:
        share = (min(max(moment, self.since), self.until) - self.since) / (self.until - self.since)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


class Timeline:
    """Draws one outcome."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._lives = lives(outcome.keys, outcome.ended_at)
        self._scale = Scale(outcome.began_at - BEFORE, outcome.ended_at)
        self._numbers = {life.kid: life.number for life in self._lives}
        self._verifiers_at = TOP + len(self._lives) * KEY_LANE + 34
        self._floor = self._verifiers_at + len(outcome.verdicts) * LANE

    def draw(self) -> str:
        height = self._floor + 70
        shapes = [svg.rect(0, 0, WIDTH, height, "paper"), *self._head(), *self._axis(), *self._marks()]
        shapes += [shape for life in self._lives for shape in self._key(life)]
        for place, verdict in enumerate(self._outcome.verdicts):
            shapes += self._verifier(self._verifiers_at + place * LANE, verdict)
        shapes += self._alarm()
        shapes += self._legend(height - 20)
        description = f"{summary(self._outcome)} {self._effects()}"
        return svg.document(
            WIDTH, height, title=headline(self._outcome), description=description, style=STYLE, shapes=shapes
        )

    def _head(self) -> Iterator[str]:
        yield svg.text(24, 38, headline(self._outcome), "head")
        yield svg.text(24, 60, summary(self._outcome), "soft")
        yield svg.text(24, TOP - 12, "Keys", "bold")
        yield svg.text(24, self._verifiers_at - 10, "Verifiers", "bold")

    def _axis(self) -> Iterator[str]:
        length = self._outcome.ended_at - self._outcome.began_at
        step = next((step for step in (1, 2, 5, 10, 30, 60, 300) if length / step <= 14), 600)  # noqa: PLR2004 - as many labels fit
        for second in range(0, int(length) + 1, step):
            x = self._scale.x(self._outcome.began_at + second)
            yield svg.line(x, TOP - 6, x, self._floor, "grid")
            yield svg.text(x, self._floor + 18, f"{second} s", "soft", "middle")

    def _marks(self) -> Iterator[str]:
        """Where another key began to sign."""
        for life in self._lives:
            for stretch in life.stretches:
                if stretch.state is State.ACTIVE and stretch.since > self._scale.since:
                    x = self._scale.x(stretch.since)
                    yield svg.line(x, TOP - 6, x, self._floor, "mark")

    def _key(self, life: Life) -> Iterator[str]:
        y = TOP + (life.number - 1) * KEY_LANE
        yield svg.text(24, y + 13, f"{life.number}", "bold")
        yield svg.text(44, y + 13, life.kid[:12] + "…", "soft")
        for stretch in life.stretches:
            x, end = self._scale.x(stretch.since), self._scale.x(stretch.until)
            if end - x < 1:
                continue
            yield svg.rect(
                x, y, end - x, BAR, stretch.state.value, f"key {life.number}: {stretch.state.value}"
            )
            if len(stretch.state.value) * LETTER < end - x - 8:
                yield svg.text(x + 6, y + 13, stretch.state.value, _on(stretch.state))

    def _verifier(self, y: float, verdict: Verdict) -> Iterator[str]:
        start, end = self._scale.x(self._outcome.began_at), self._scale.x(self._outcome.ended_at)
        yield svg.text(24, y + 13, verdict.verifier.title)
        yield svg.rect(start, y, end - start, BAR, "lane")
        yield svg.text(start, y + BAR + 13, verdict.verifier.habit, "small")
        yield svg.text(end + 12, y + 13, effect(verdict), "bold")
        yield self._strip(y + BAR + 2, verdict)
        yield from self._dots(y + BAR / 2, verdict)
        for failure in verdict.failures[:CROSSES]:
            hint = f"{failure.kind.value} x {failure.count}: {failure.reason}"
            yield svg.cross(self._scale.x(failure.at), y + BAR / 2, 6, "failure", hint)

    def _strip(self, y: float, verdict: Verdict) -> str:
        at = self._outcome.emergency.at
        until = self._outcome.ended_at if verdict.still_accepts else at + verdict.effect
        x, end = self._scale.x(at), self._scale.x(until)
        return svg.rect(x, y, max(2.0, end - x), STRIP, "still", "the compromised key was still accepted")

    def _dots(self, y: float, verdict: Verdict) -> Iterator[str]:
        """A dot that would hide the one before it moves aside."""
        last = 0.0
        for kid, moment in sorted(
            verdict.first_accepted.items(), key=lambda seen: (seen[1], self._numbers[seen[0]])
        ):
            number = self._numbers[kid]
            x = last = max(self._scale.x(moment), last + 2 * DOT)
            yield svg.dot(x, y, DOT, "seen", f"first token of key {number} accepted")
            yield svg.text(x, y + 3.2, f"{number}", "number", "middle")

    def _alarm(self) -> Iterator[str]:
        emergency = self._outcome.emergency
        x = self._scale.x(emergency.at)
        yield svg.line(x, TOP - 14, x, self._floor, "alarm")
        words = f"key {self._numbers.get(emergency.kid, 0)} compromised"
        yield svg.text(x, TOP - 20, words, "alarmed", "middle")
        yield svg.text(WIDTH - RIGHT + 12, self._verifiers_at - 10, "refused after", "soft")

    def _legend(self, y: float) -> Iterator[str]:
        x = 24.0
        for name in (*(state.value for state in State), "still"):
            words = LEGEND.get(name, name)
            yield svg.rect(x, y - 11, 16, 12, name)
            yield svg.text(x + 22, y, words, "soft")
            x += 40 + len(words) * LETTER
        yield svg.dot(x + 8, y - 5, DOT, "seen", "a dot")
        yield svg.text(x + 22, y, LEGEND["seen"], "soft")
        x += 40 + len(LEGEND["seen"]) * LETTER
        yield svg.cross(x + 6, y - 5, 5, "failure", "a cross")
        yield svg.text(x + 20, y, "failure", "soft")

    def _effects(self) -> str:
        said = [f"{verdict.verifier.title}: {effect(verdict)}" for verdict in self._outcome.verdicts]
        return "After the emergency the compromised key was refused by " + "; ".join(said) + "."


def _on(state: State) -> str:
    """The letters' class inside a bar, for contrast."""
    if state is State.REMOVED:
        return "soft"
    return "on-next" if state is State.NEXT else "on"


def timeline(outcome: Outcome) -> str:
    """Answer the picture as an SVG document."""
    return Timeline(outcome).draw()
