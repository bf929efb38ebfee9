"""Giving out indexes: each once, in no order, and none that a living token may carry."""

import itertools
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from authserver.database import Database
from authserver.maintenance import PURGES
from authserver.opaque import new_id
from authserver.status_lists import indexes, store
from authserver.status_lists.bits import SIZE
from authserver.status_lists.indexes import DRAWS, NoIndexLeft, StatusIndexes
from authserver.status_lists.live import FREE_AFTER
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock

LIVE = timedelta(minutes=61)
SESSION = timedelta(days=30)


def give(database: Database, clock: HandClock, draw: Callable[[int], int]) -> int:
    given_out = StatusIndexes(LIVE, draw)

    def step(db: Connection) -> int:
        now = clock.now()
        return given_out.give(db, account_id="a", session_id=new_id(), now=now, session_ends=now + SESSION)

    return database.write(step)


def test_many_who_draw_from_few_at_once_are_each_given_their_own(
    database: Database, clock: HandClock
) -> None:
    def forty_of_each_list(size: int) -> int:
        return secrets.randbelow(size // SIZE) * SIZE + secrets.randbelow(40)

    def one(_: int) -> int:
        return give(database, clock, forty_of_each_list)

    with ThreadPoolExecutor(4) as together:
        given = list(together.map(one, range(40)))
    assert len(set(given)) == 40
    assert {number % SIZE for number in given} <= set(range(40))
    assert max(given) // SIZE < 4, "a list is left when it is full, and not much before"


@SQLITE_ONLY
def test_what_is_given_out_is_drawn_at_random_from_the_whole_list(
    database: Database, clock: HandClock
) -> None:
    given = [give(database, clock, secrets.randbelow) for _ in range(20)]
    assert given != sorted(given)
    assert max(given) < SIZE, "one list, as long as there is room in it"
    assert max(given) - min(given) > SIZE // 4


def test_an_index_is_free_again_only_when_its_last_token_has_expired_and_is_forgotten(
    database: Database, clock: HandClock
) -> None:
    def purge() -> int:
        return database.write(lambda db: PURGES["status_indexes"](db, clock.now()))

    assert give(database, clock, lambda _: 7) == 7
    clock.advance(SESSION + LIVE + FREE_AFTER)
    assert purge() == 0
    assert give(database, clock, lambda _: 7) == SIZE + 7
    clock.advance(1)
    assert purge() == 1
    assert give(database, clock, lambda _: 7) == 7


@SQLITE_ONLY
def test_when_every_list_is_full_nobody_is_given_what_is_anothers(
    database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "MOST_LISTS", 2)
    draws = itertools.count()

    def draw(size: int) -> int:
        assert size in {SIZE, 2 * SIZE}
        next(draws)
        return 7

    assert [give(database, clock, draw) for _ in range(2)] == [7, SIZE + 7]
    before = next(draws)
    with pytest.raises(NoIndexLeft):
        give(database, clock, draw)
    assert next(draws) - before - 1 == 1 + 2 * DRAWS
    assert database.read(store.lists) == 2
