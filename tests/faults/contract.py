"""What must hold over a record, whatever was killed: the contract of `Freshness`, as the guards under load keep it."""

from collections.abc import Iterable, Mapping
from typing import Final

from tests.faults.running_services import LENIENT, MAX_STALENESS, STRICT, Service
from tests.faults.verdicts import ACCEPTED

# Seconds from an acknowledgement to the refusal, while guard and server talk with each other.
NEWS: Final = 1.0
# How long a guard whose issuer is away rests between two attempts, at first and at most: revocation_ladder.py.
FIRST_PAUSE: Final = 0.25
LONGEST_PAUSE: Final = 1.0
# How long a test waits for all to be well again: what it asserts is in the record, and this only has to end.
RECOVERY: Final = 30.0


def no_valid_token_was_refused(service: Service, valid: Iterable[str]) -> None:
    """No 401, ever; and by the default contract nothing at all was noticed of the fault."""
    names = list(valid)
    assert service.record.unauthorized(names) == []
    for name in names:
        assert [spell.verdict.verdict for spell in service.record.spells(name, LENIENT)] == [ACCEPTED]


def no_sign_out_was_forgotten(
    service: Service, acknowledged: Mapping[str, float], *, back: float = 0.0, pause: float = 0.0
) -> None:
    """Each was refused in time, and for good.

    :param back: when what had fallen answered again: what was acknowledged just before could not be told until then.
    :param pause: how long a guard may have been waiting at that moment before it asks again.
    """
    for name, at in acknowledged.items():
        strict, lenient = (service.record.accepted_until(name, guard) for guard in (STRICT, LENIENT))
        assert strict <= at + MAX_STALENESS + NEWS
        assert lenient <= max(at, back + pause) + NEWS


def longest_pause(fell: float, back: float) -> float:
    """A guard that asks in vain doubles its pauses, so none is longer than twice the time that it had been asking."""
    return min(FIRST_PAUSE + 2 * (back - fell), LONGEST_PAUSE)


def gap_was_caught_up_by_deltas(service: Service, since: float) -> None:
    """A guard that knows where it stood asks for what came after, and not for everything."""
    for guard in service.guards:
        forms = service.record.forms(guard, since)
        assert forms
        assert set(forms) == {"delta"}
