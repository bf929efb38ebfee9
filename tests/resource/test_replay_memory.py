"""Each proof for one request, within bounded room."""

from concurrent.futures import ThreadPoolExecutor

from authserver.protocol.dpop import NEWEST, OLDEST
from authserver.resource.dpop import Proof
from authserver.resource.replay_memory import ReplayMemory

NOW = 1_785_000_000.0


def claim(
    memory: ReplayMemory, name: str, *, at: float = NOW, iat: float | None = None, key: str = "k"
) -> bool:
    return memory.claim(Proof(key, name, at if iat is None else iat), object(), at)


def test_second_request_with_a_proof_is_refused() -> None:
    memory = ReplayMemory()
    assert claim(memory, "a")
    assert not claim(memory, "a")
    assert claim(memory, "b")
    assert claim(memory, "a", key="another")


def test_same_request_may_show_its_proof_again() -> None:
    memory, request, proof = ReplayMemory(), object(), Proof("k", "a", NOW)
    assert memory.claim(proof, request, NOW)
    assert memory.claim(proof, request, NOW)
    assert not memory.claim(proof, object(), NOW)


def test_proof_is_remembered_for_as_long_as_it_would_be_accepted() -> None:
    memory = ReplayMemory()
    assert claim(memory, "a", iat=NOW + NEWEST)
    for later in range(0, int(OLDEST + NEWEST) + 1, 5):
        assert claim(memory, f"other-{later}", at=NOW + later)
        assert not claim(memory, "a", at=NOW + later, iat=NOW + NEWEST)


def test_what_is_too_old_to_be_accepted_takes_up_no_room() -> None:
    memory = ReplayMemory()
    for number in range(1_000):
        assert claim(memory, str(number), at=NOW + number)
    assert len(memory._young) + len(memory._old) <= 2 * (OLDEST + NEWEST) + 1


def test_full_memory_forgets_the_oldest_and_accepts_none_of_that_age() -> None:
    memory = ReplayMemory(room=4)
    for number in range(8):
        assert claim(memory, str(number), at=NOW + number)
    assert len(memory._young) + len(memory._old) <= 4
    for number in range(8):
        assert not claim(memory, str(number), at=NOW + 8, iat=NOW + number)
    assert claim(memory, "new", at=NOW + 8)


def test_of_many_requests_at_once_one_wins() -> None:
    memory = ReplayMemory()
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: claim(memory, "a"), range(200))) == 1
