"""Measuring subjects side by side: A B A B, never A A B B, so that a machine that slows down slows down both.

A ratio is taken round by round, from measurements seconds apart, and only then is the median of the ratios taken.
The ratio of two medians would put rounds together that never met.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import Final, Self, TypeVar

T = TypeVar("T")

LONGEST_WARM_UP: Final = 1.0
SLICE: Final = 0.02
BATCH: Final = 8

Operation = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Sample:
    """One subject in one round. Latencies in milliseconds; `cpu_us`: the subject's processor time for one operation."""

    per_second: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_us: float | None = None
    errors: int = 0
    operations: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """What the rounds said: the median, and how far they were apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """:raises StatisticsError: there are no values."""
        found = sorted(values)
        return cls(median(found), found[0], found[-1])


Samples = tuple[Sample, ...]
Measure = Callable[[float], Sample]


def interleave(subjects: Mapping[str, Measure], rounds: int, seconds: float) -> dict[str, Samples]:
    """Measure each subject once a round, for so many seconds, after a warm-up of all."""
    for measure in subjects.values():
        measure(min(seconds, LONGEST_WARM_UP))
    taken: dict[str, list[Sample]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, measure in subjects.items():
            taken[name].append(measure(seconds))
    return {name: tuple(samples) for name, samples in taken.items()}


def alternate(subjects: Mapping[str, Operation], rounds: int, seconds: float) -> dict[str, Samples]:
    """Measure operations in this thread, in slices of 20 ms in turn, by the processor time that they take.

    Processor time and short slices, because other work on the same core would else decide the ratio.
    """
    for operation in subjects.values():
        _slice(operation, min(seconds, SLICE))
    taken: dict[str, list[Sample]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, sample in _round(subjects, seconds).items():
            taken[name].append(sample)
    return {name: tuple(samples) for name, samples in taken.items()}


def ratio(ours: Samples, theirs: Samples) -> Spread:
    """How many times as fast ours is, round by round."""
    return Spread.of(mine.per_second / other.per_second for mine, other in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile: a value that was measured, not one between two."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def in_turn(values: Sequence[T]) -> Callable[[], T]:
    """Answer the values one after the other, for ever: an operation's next input at the price of a call."""
    return cycle(values).__next__


def _round(subjects: Mapping[str, Operation], seconds: float) -> dict[str, Sample]:
    done = dict.fromkeys(subjects, 0)
    spent = dict.fromkeys(subjects, 0.0)
    while min(spent.values()) < seconds:
        for name, operation in subjects.items():
            count, took = _slice(operation, min(seconds, SLICE))
            done[name] += count
            spent[name] += took
    return {name: _sample(done[name], spent[name]) for name in subjects}


def _sample(count: int, seconds: float) -> Sample:
    return Sample(count / seconds, cpu_us=seconds / count * 1e6, operations=count)


def _slice(operation: Operation, seconds: float) -> tuple[int, float]:
    """Answer how often it ran and what processor time that took."""
    clock, count = time.thread_time, 0
    began = clock()
    while (spent := clock() - began) < seconds or not count:
        for _ in range(BATCH):
            operation()
        count += BATCH
    return count, spent
