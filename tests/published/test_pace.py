"""Long answers go in pieces, and no slower than somebody can want them."""

import asyncio

import pytest
from starlette.types import Message

from authserver.published import pace
from authserver.published.pace import PIECE, hand_over, pieces

pytestmark = pytest.mark.anyio

SHORT = 0.05


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 10 * PIECE - 1])
async def test_the_pieces_are_the_whole_and_none_is_longer_than_the_others(size: int) -> None:
    whole, sent = bytes(range(256)) * (size // 256 + 1), list[bytes]()

    async def send(message: Message) -> None:
        assert message["more_body"]
        sent.append(message["body"])

    await hand_over(pieces(whole[:size]), size, send)
    assert b"".join(sent) == whole[:size]
    assert all(len(piece) == PIECE for piece in sent[:-1])
    assert all(0 < len(piece) <= PIECE for piece in sent)


async def test_who_takes_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "SLOWEST", SHORT)

    async def send(_message: Message) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await hand_over(pieces(bytes(1)), pace.SLOWEST_RATE * 3_600, send)


async def test_who_takes_it_for_hours_is_not_waited_for_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each holds an old list of its own in memory: they are signed anew every few seconds."""
    monkeypatch.setattr(pace, "SLOWEST", SHORT)
    taken = 0

    async def send(_message: Message) -> None:
        nonlocal taken
        taken += 1
        await asyncio.sleep(SHORT / 5)

    monkeypatch.setattr(pace, "SLOWEST_RATE", 10_000 * PIECE)
    with pytest.raises(TimeoutError):
        await hand_over(pieces(bytes(1_000 * PIECE)), 1_000 * PIECE, send)
    assert 1 < taken < 100
