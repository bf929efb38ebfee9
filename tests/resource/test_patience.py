import pytest

from authserver.resource.line import FetchFailed, Line, TooSlow
from authserver.resource.patience import Patience, Word
from tests.resource.conftest import FakeClock

HEARTBEAT, ONCE = 5.0, 10.0


@pytest.fixture
def line(clock: FakeClock) -> Line:
    made = Line(60.0, clock)
    made.allow(HEARTBEAT)
    return made


@pytest.fixture
def patience(line: Line) -> Patience:
    return Patience(line, HEARTBEAT, ONCE)


def is_over(line: Line) -> bool:
    try:
        line.seconds_left()
    except TooSlow:
        return True
    return False


def test_whoever_says_something_new_may_go_on(patience: Patience, line: Line, clock: FakeClock) -> None:
    for iat in range(100):
        assert patience.heard(Word(iat, 1))
        clock.advance(HEARTBEAT - 1)
        assert not is_over(line)


@pytest.mark.parametrize("again", [Word(7, 3), Word(6, 3), Word(7, 2)])
def test_whoever_repeats_a_genuine_word_may_not(
    patience: Patience, line: Line, clock: FakeClock, again: Word
) -> None:
    assert patience.heard(Word(7, 3))
    for _ in range(10):
        clock.advance(0.5)
        assert not patience.heard(again)
    assert is_over(line)


def test_whoever_repeats_it_without_pause_is_not_listened_to_until_then(patience: Patience) -> None:
    """It costs a processor otherwise: each copy's signature is verified."""
    for iat in range(3):
        assert patience.heard(Word(iat, 1))
        assert not any(patience.heard(Word(iat, 1)) for _ in range(16))
    with pytest.raises(FetchFailed, match="repeats"):
        patience.heard(Word(2, 1))


def test_a_list_that_grows_is_news_whatever_its_clock_says(
    patience: Patience, line: Line, clock: FakeClock
) -> None:
    assert patience.heard(Word(100, 1))
    clock.advance(4)
    assert patience.heard(Word(60, 2))
    clock.advance(4)
    assert patience.heard(Word(61, 2)), "from now on by this clock"
    assert not is_over(line)


def test_a_long_event_takes_its_time_once(patience: Patience, line: Line, clock: FakeClock) -> None:
    for _ in range(9):
        patience.midway()
        clock.advance(1)
        assert not is_over(line)
    patience.heard(Word(1, 1))
    for _ in range(10):
        patience.midway()
        patience.heard(Word(1, 1))
        clock.advance(1)
    assert is_over(line), "a piece of a word that is repeated is no reason to wait again"
