"""What the sights of a run mean: pure functions, so that a test can show what would be called a failure.

Three things are failures, and counted apart:

* `refused`: a genuine token, alive, of a key that nobody gave up, was not accepted. For the compromised key: before
  the command's commit.
* `late`: our guard accepted the compromised key after its contract. Other verifiers cannot know of the revocation
  list; how long they went on is measured and said, not judged.
* `forged`: an altered token was accepted.

And two that make a run worthless as proof: a verifier that `died`, and a key whose tokens it never accepted (`unseen`).
A stretch of time that lies across a limit is counted on the wrong side of it: never in our favour.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from authserver.drill.conduct import Emergency
from authserver.drill.sights import Sight
from authserver.drill.tokens import FORGED
from authserver.drill.verifiers import Kind


class Flaw(StrEnum):
    """What may be wrong with a run."""

    REFUSED = "refused"
    LATE = "late"
    FORGED = "forged"
    DIED = "died"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that must not happen: what, to tokens of which key, how often, when, in whose words."""

    kind: Flaw
    label: str
    count: int
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One verifier's part. `effect`: seconds from the emergency's commit to its last acceptance of that key."""

    verifier: Kind
    verifications: int
    failures: tuple[Failure, ...]
    first_accepted: Mapping[str, float]  # by kid
    effect: float
    still_accepts: bool  # when the run ended
    refused_with: str  # its words when it first refused that key after that

    def count(self, kind: Flaw) -> int:
        return sum(failure.count for failure in self.failures if failure.kind is kind)

    @property
    def failed(self) -> int:
        return sum(failure.count for failure in self.failures)


@dataclass(frozen=True, slots=True)
class Measure:
    """What sights are held against."""

    emergency: Emergency
    contract: float
    kids: Sequence[str]  # of every key that signed a token
    ended_at: float


def judge(verifier: Kind, sights: Sequence[Sight], measure: Measure, *, died: bool = False) -> Verdict:
    """Say what one verifier's sights mean."""
    emergency = measure.emergency
    failures = [*_failures(verifier, sights, measure), *_unseen(sights, measure)]
    if died:
        failures.append(
            Failure(Flaw.DIED, "", 1, max((sight.last for sight in sights), default=0.0), "it ended")
        )
    last = max(_accepted(sights, emergency.kid), default=emergency.at)
    refusals = [s for s in sights if s.label == emergency.kid and not s.accepted and s.last > last]
    return Verdict(
        verifier,
        sum(sight.times for sight in sights),
        tuple(failures),
        {kid: min(s.first for s in sights if s.label == kid and s.accepted) for kid in _seen(sights)},
        max(0.0, last - emergency.at),
        not refusals,
        refusals[0].reason if refusals else "",
    )


def _failures(verifier: Kind, sights: Iterable[Sight], measure: Measure) -> Iterator[Failure]:
    given_up, at = measure.emergency.kid, measure.emergency.at
    for sight in sights:
        if sight.label == FORGED:
            if sight.accepted:
                yield _failure(Flaw.FORGED, sight, sight.first)
        elif not sight.accepted:
            if sight.label != given_up or sight.first < at:
                yield _failure(Flaw.REFUSED, sight, sight.first)
        elif sight.label == given_up and verifier.follows_list and sight.last > at + measure.contract:
            yield _failure(Flaw.LATE, sight, sight.last)


def _unseen(sights: Sequence[Sight], measure: Measure) -> Iterator[Failure]:
    seen = _seen(sights)
    for kid in measure.kids:
        if kid not in seen:
            yield Failure(Flaw.UNSEEN, kid, 1, measure.ended_at, "no token of this key was ever accepted")


def _failure(kind: Flaw, sight: Sight, at: float) -> Failure:
    return Failure(kind, sight.label, sight.times, at, sight.reason)


def _seen(sights: Iterable[Sight]) -> set[str]:
    return {sight.label for sight in sights if sight.accepted and sight.label != FORGED}


def _accepted(sights: Iterable[Sight], kid: str) -> Iterator[float]:
    return (sight.last for sight in sights if sight.label == kid and sight.accepted)
