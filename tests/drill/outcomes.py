"""A small made-up run: two verifiers, three keys, an emergency at 20 s; what is not said is as it should be."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from authserver.drill.conduct import Emergency
from authserver.drill.drill import Outcome
from authserver.drill.judgement import Measure, Verdict, judge
from authserver.drill.plan import plan_for
from authserver.drill.sights import Sight
from authserver.drill.verifiers import KINDS, Kind
from authserver.keyring.states import SigningKey, State

BEGAN = 1_800_000_000.0
EMERGENCY = Emergency("second", BEGAN + 20, "third")
MEASURE = Measure(EMERGENCY, contract=3.0, kids=("first", "second", "third"), ended_at=BEGAN + 30)
GUARD = KINDS[0]
OTHER = KINDS[2]


def seen(label: str, since: float, until: float, *, accepted: bool = True, reason: str = "") -> Sight:
    """Ten tokens between two moments, in seconds after the beginning."""
    return Sight(label, accepted, 10, BEGAN + since, BEGAN + until, reason)


GOOD = (
    seen("first", 0, 5),
    seen("second", 1, 19.8),
    seen("second", 20.1, 20.3),
    seen("second", 20.31, 30, accepted=False, reason="signed_out"),
    seen("third", 20.2, 30),
    seen("forged", 0, 30, accepted=False, reason="bad_signature"),
)


def verdict(*more: Sight, of: Kind = GUARD, good: Sequence[Sight] = GOOD) -> Verdict:
    return judge(of, [*good, *more], MEASURE)


def outcome(*verdicts: Verdict) -> Outcome:
    return Outcome(
        plan_for(60),
        1,
        BEGAN,
        BEGAN + 30,
        (
            key("first", State.REMOVED, -50, -40, 1, 15),
            key("second", State.COMPROMISED, -40, 1, None, 20),
            key("third", State.ACTIVE, 1, 20, None, None),
        ),
        EMERGENCY,
        verdicts or (verdict(), verdict(of=OTHER)),
        (),
    )


def key(
    kid: str, state: State, published: float, active: float | None, retired: float | None, ended: float | None
) -> SigningKey:
    return SigningKey(
        kid, "RS256", state, {}, moment(published), *map(moment_or_none, (active, retired, ended))
    )


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(BEGAN, UTC) + timedelta(seconds=second)


def moment_or_none(second: float | None) -> datetime | None:
    return None if second is None else moment(second)
