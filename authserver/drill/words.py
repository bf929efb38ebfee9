"""What an outcome is called, in the report, in the picture and in the terminal alike."""

from typing import Final

from authserver.drill.drill import Outcome
from authserver.drill.judgement import Verdict

ONE: Final = 1


def headline(outcome: Outcome) -> str:
    return f"{outcome.verifications:,} verifications, {_many(outcome.failures, 'failure')}"


def summary(outcome: Outcome) -> str:
    """One sentence about what was done, and by which lengths of time."""
    timing = outcome.plan.timing
    return (
        f"{_many(len(outcome.verdicts), 'verifier')}, {_many(outcome.promotions, 'promotion')} and an emergency "
        f"in {outcome.ended_at - outcome.began_at:.0f} s; jwks_max_age {timing.jwks_max_age.total_seconds():.0f} s, "
        f"clock_skew {timing.clock_skew.total_seconds():.0f} s, "
        f"tokens live {timing.longest_token_lifetime.total_seconds():.0f} s."
    )


def effect(verdict: Verdict) -> str:
    """How long a verifier went on accepting the compromised key."""
    return "still accepted" if verdict.still_accepts else f"{verdict.effect:.2f} s"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == ONE else f"{count:,} {noun}s"
