"""A run as files: `report.json` for a program, `report.md` for a person, `timeline.svg` for the eye."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import Any, Final

from authserver import __version__
from authserver.drill.drill import Outcome
from authserver.drill.judgement import Failure, Flaw, Verdict
from authserver.drill.lives import lives
from authserver.drill.timeline import timeline
from authserver.drill.words import effect, headline, summary

SHOWN: Final = 50  # failures in a report: the count says the rest
FILES: Final = ("report.json", "report.md", "timeline.svg")
HEADER: Final = ("verifier", "habit", "verifications", "failures", "refused after", "at the worst")
MEANINGS: Final = {
    Flaw.REFUSED: "a good token refused",
    Flaw.LATE: "the compromised key accepted after the guard's contract",
    Flaw.FORGED: "an altered token accepted",
    Flaw.DIED: "a verifier ended by itself",
    Flaw.UNSEEN: "a key whose tokens a verifier never accepted",
}


def write(outcome: Outcome, folder: Path) -> list[Path]:
    """Write the three files, and say where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = (json.dumps(facts(outcome), indent=2) + "\n", markdown(outcome), timeline(outcome))
    written = [folder / name for name in FILES]
    for file, text in zip(written, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    return written


def facts(outcome: Outcome) -> dict[str, Any]:
    """Everything that was found, in plain values. Times: seconds after the load began, unless named otherwise."""
    emergency, zero = outcome.emergency, outcome.began_at
    return {
        "verifications": outcome.verifications,
        "failures": outcome.failures,
        "failures_by_kind": {flaw.value: sum(v.count(flaw) for v in outcome.verdicts) for flaw in Flaw},
        "began_at": datetime.fromtimestamp(zero, UTC).isoformat(timespec="milliseconds"),
        "seconds": round(outcome.ended_at - zero, 3),
        "settings": _settings(outcome),
        "promotions": outcome.promotions,
        "emergency": {
            "kid": emergency.kid,
            "at": round(emergency.at - zero, 3),
            "successor": emergency.successor,
            "heard": emergency.heard,
        },
        "verifiers": [_verifier(outcome, verdict) for verdict in outcome.verdicts],
        "not_installed": [{"title": kind.title, "advice": kind.advice} for kind in outcome.missing],
        "keys": _keys(outcome),
        "versions": versions(outcome),
    }


def markdown(outcome: Outcome) -> str:
    """The report for a person; the picture lies beside it."""
    return "\n".join(_lines(outcome)) + "\n"


def versions(outcome: Outcome) -> dict[str, str]:
    """Whose habits these are: the same library may behave otherwise in its next release."""
    packages = sorted({verdict.verifier.package for verdict in outcome.verdicts} - {"authserver"})
    return {
        "authserver": __version__,
        "python": python_version(),
        **{name: _version(name) for name in packages},
    }


def rows(outcome: Outcome) -> list[tuple[str, ...]]:
    """The table by verifier: title, habit, verifications, failures, how long it accepted the compromised key."""
    return [
        (
            verdict.verifier.title,
            verdict.verifier.habit,
            f"{verdict.verifications:,}",
            f"{verdict.failed:,}",
            effect(verdict),
            verdict.verifier.at_worst,
        )
        for verdict in outcome.verdicts
    ]


def failures(outcome: Outcome) -> list[str]:
    """One sentence for each failure, the first of them."""
    found = [(verdict, failure) for verdict in outcome.verdicts for failure in verdict.failures]
    said = [_sentence(outcome, verdict, failure) for verdict, failure in found[:SHOWN]]
    return [*said, f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else said


def _lines(outcome: Outcome) -> Iterator[str]:
    yield f"# {headline(outcome)}"
    yield f"\n{summary(outcome)}\n\n![The timeline of this run](timeline.svg)\n\n## Verifiers\n"
    yield from _table(HEADER, rows(outcome))
    for kind in outcome.missing:
        yield f"\n{kind.title}: {kind.advice}"
    yield (
        "\n*Refused after*: from the commit of `keys revoke --compromised` to the last token of that key that was "
        "accepted. Only a verifier that follows the revocation list can know; the others wait for their cache. What they "
        "said then:\n"
    )
    for verdict in outcome.verdicts:
        if verdict.refused_with:
            yield f"- {verdict.verifier.title}: `{verdict.refused_with}`"
    yield ""
    yield from _about_failures(outcome)
    yield "\n## Keys\n"
    header = ("key", "kid", "state", "since", "until")
    yield from _table(header, [_strings(key) for key in _keys(outcome)])
    yield "\nSeconds after the load began; negative ones lie before it.\n\n## Versions\n"
    yield ", ".join(f"{name} {number}" for name, number in versions(outcome).items())


def _about_failures(outcome: Outcome) -> Iterator[str]:
    yield "## Failures\n"
    for flaw in Flaw:
        yield f"- {MEANINGS[flaw]}: {sum(verdict.count(flaw) for verdict in outcome.verdicts):,}"
    yield from (f"- {sentence}" for sentence in failures(outcome))


def _sentence(outcome: Outcome, verdict: Verdict, failure: Failure) -> str:
    at = failure.at - outcome.began_at
    return f"{at:.2f} s, {verdict.verifier.title}: {failure.kind.value} × {failure.count}, `{failure.label}`: {failure.reason}"


def _settings(outcome: Outcome) -> dict[str, float]:
    timing = outcome.plan.timing
    return {
        "jwks_max_age": timing.jwks_max_age.total_seconds(),
        "clock_skew": timing.clock_skew.total_seconds(),
        "access_token_lifetime": timing.longest_token_lifetime.total_seconds(),
        "contract": outcome.plan.contract,
    }


def _verifier(outcome: Outcome, verdict: Verdict) -> dict[str, Any]:
    zero = outcome.began_at
    return {
        "title": verdict.verifier.title,
        "habit": verdict.verifier.habit,
        "verifications": verdict.verifications,
        "failures": verdict.failed,
        "refused_after": None if verdict.still_accepts else round(verdict.effect, 3),
        "accepted_for": round(verdict.effect, 3),
        "refused_with": verdict.refused_with,
        "at_worst": verdict.verifier.at_worst,
        "first_accepted": {kid: round(at - zero, 3) for kid, at in verdict.first_accepted.items()},
        "what_failed": [
            {
                "kind": failure.kind.value,
                "label": failure.label,
                "count": failure.count,
                "at": round(failure.at - zero, 3),
                "reason": failure.reason,
            }
            for failure in verdict.failures[:SHOWN]
        ],
    }


def _keys(outcome: Outcome) -> list[dict[str, Any]]:
    zero = outcome.began_at
    return [
        {
            "key": life.number,
            "kid": life.kid,
            "state": stretch.state.value,
            "since": round(stretch.since - zero, 2),
            "until": round(stretch.until - zero, 2),
        }
        for life in lives(outcome.keys, outcome.ended_at)
        for stretch in life.stretches
    ]


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _ in header)} |"
    for line in lines:
        yield f"| {' | '.join(cell.replace('|', '∣') for cell in line)} |"


def _strings(row: dict[str, Any]) -> list[str]:
    return [f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values()]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
