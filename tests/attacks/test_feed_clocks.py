"""Clocks that leap and are set right again: nobody may come back by it, and nobody may go deaf for it."""

import pytest

from authserver.protocol.revocation import Kind
from authserver.resource.revocation_copy import Heard, RevocationCopy
from authserver.resource.revocation_document import UnusableDocument
from authserver.resource.revocation_set import Delta, Entry, Reset, Snapshot

NOW = 1_800_000_000
HOUR = 3_600
CLAIMS = {"sid": "alice", "jti": "j", "sub": "s", "client_id": "c", "iat": NOW - 10}
SIGNED_OUT = Entry(Kind.SID, "alice", NOW + HOUR)


def heard(seconds: float, *, leap: float = 0.0) -> Heard:
    return Heard(seconds, seconds, NOW + seconds + leap)


def nothing_new(sequence: int) -> Delta:
    return Delta(sequence, f"m{sequence}", sequence, f"m{sequence}", ())


def knows_of_alice(copy: RevocationCopy) -> bool:
    return copy.revocations.hit(CLAIMS, "k") is not None


@pytest.fixture
def copy() -> RevocationCopy:
    made = RevocationCopy()
    assert made.take(Snapshot(1, "m1", (SIGNED_OUT,)), NOW, heard(0))
    return made


def test_a_services_clock_that_leapt_and_came_back_brings_nobody_back(copy: RevocationCopy) -> None:
    copy.take(nothing_new(1), NOW + 5, leapt := heard(5, leap=3 * HOUR))
    copy.forget(leapt.now)
    copy.take(nothing_new(1), NOW + 20, back := heard(20))
    copy.forget(back.now)
    assert knows_of_alice(copy)


def test_nor_do_the_clocks_of_service_and_issuer_that_leapt_together(copy: RevocationCopy) -> None:
    """On one machine, or by one wrong time server. What passes here is then the only honest clock."""
    for seconds in range(5, 60, 5):
        copy.take(
            nothing_new(1), NOW + 3 * HOUR + seconds, leapt := heard(float(seconds), leap=float(3 * HOUR))
        )
        copy.forget(leapt.now)
    copy.take(nothing_new(1), NOW + 60, back := heard(60))
    copy.forget(back.now)
    assert knows_of_alice(copy)


def test_without_a_leap_what_is_over_is_forgotten(copy: RevocationCopy) -> None:
    for seconds in range(60, HOUR + 300, 60):
        assert len(copy.revocations) == (seconds < HOUR + 120)
        copy.take(nothing_new(1), NOW + seconds, at := heard(float(seconds)))
        copy.forget(at.now)
    assert len(copy.revocations) == 0


def test_an_issuers_clock_that_was_set_right_for_good_is_believed_with_the_next_whole_list(
    copy: RevocationCopy,
) -> None:
    later = float(9 * HOUR)
    bob = Entry(Kind.SID, "bob", int(NOW + later) + 60)
    copy.take(nothing_new(1), NOW + 5 + later, heard(5, leap=later))
    copy.take(Snapshot(2, "m2", (bob,)), NOW + 10 + later, heard(10, leap=later))
    for seconds in range(20, 400, 20):
        copy.take(nothing_new(2), NOW + seconds + later, at := heard(float(seconds), leap=later))
        copy.forget(at.now)
    assert len(copy.revocations) == 0


def test_an_issuer_whose_clock_was_set_back_is_heard_at_once() -> None:
    """The position proves that a delta is the next one; its age is another matter."""
    copy = RevocationCopy()
    copy.take(Snapshot(1, "m1", ()), NOW + 45, heard(0))
    assert copy.take(Delta(1, "m1", 2, "m2", (SIGNED_OUT,)), NOW + 5, heard(5))
    assert knows_of_alice(copy)
    assert copy.age(5) == 5, "what it said last is no younger than what it said before"


@pytest.mark.parametrize("event", [Snapshot(1, "m1", ()), Reset(1, "m1", 0, "r0")])
def test_what_proves_no_place_must_not_be_older(copy: RevocationCopy, event: Snapshot | Reset) -> None:
    """A snapshot of the same sequence may be of another history, and a reset leads to a shorter list."""
    with pytest.raises(UnusableDocument):
        copy.take(event, NOW - 11, heard(5))
    assert knows_of_alice(copy)
