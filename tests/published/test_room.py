"""Places for readers: one address alone may have many, and never all."""

import pytest

from authserver.published.room import Room


def filled(room: Room, address: str) -> int:
    count = 0
    while room.enter(address):
        count += 1
    return count


def test_an_address_alone_has_half_and_the_next_one_half_of_the_rest() -> None:
    room = Room(20_000)
    assert [filled(room, address) for address in ("cluster", "proxy", "other")] == [10_000, 5_000, 2_500]
    assert room.taken == 17_500


def test_it_takes_many_addresses_to_fill_every_place() -> None:
    room = Room(20_000)
    takers = 0
    while room.taken < 20_000:
        filled(room, str(takers))
        takers += 1
    assert takers > 10
    assert not room.enter("late")


def test_whoever_leaves_makes_room_for_others() -> None:
    room = Room(2)
    assert [room.enter(address) for address in ("one", "one", "two", "three")] == [True, False, True, False]
    room.leave("one")
    assert room.enter("three")
    assert room.taken == 2


@pytest.mark.parametrize("most", [0, 1])
def test_there_may_be_room_for_nobody(most: int) -> None:
    room = Room(most)
    assert [room.enter("one"), room.enter("two")] == [most == 1, False]
