from typing import Any

import pytest

from authserver.resource.guard import ANY_TOKEN, Guard, PlainRequest, Requirement
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network


@pytest.fixture
def guard(network: Network, clock: FakeClock) -> Guard:
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock)
    guard.close()
    return guard


def test_one_role_may_be_named_without_a_list() -> None:
    assert Requirement.of(["a"], "admin") == Requirement(frozenset({"a"}), frozenset({"admin"}))
    assert Requirement.of() == ANY_TOKEN


def test_an_empty_choice_of_roles_admits_nobody_by_mistake() -> None:
    with pytest.raises(ValueError, match="admit everybody"):
        Requirement.of(role=[])


@pytest.mark.parametrize(
    "name", ["", " ", "orders:read orders:write", " a", test_one_role_may_be_named_without_a_list]
)
def test_a_scope_is_one_word(name: Any) -> None:
    with pytest.raises(ValueError, match="one scope or role for each argument"):
        Requirement.of([name])
    with pytest.raises(ValueError, match="one scope or role for each argument"):
        Requirement.of(role=[name])


def test_plain_callers_judge_and_answer_in_two_calls(guard: Guard, issuer: LocalIssuer) -> None:
    token = issuer.token("alice", scope="orders:read")
    request = PlainRequest("GET", {"authorization": f"Bearer {token}", "accept-language": "ko"})
    assert isinstance(guard.authenticate(request), Principal)
    refusal = guard.authenticate(request, Requirement.of(["orders:write"]))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.INSUFFICIENT_SCOPE
    answer = guard.answer(refusal, request)
    assert (answer.status, answer.body["message"]) == (403, "이 작업을 할 권한이 없습니다")


@pytest.mark.parametrize("audience", ["", [], [""]])
def test_a_guard_without_an_audience_is_none(audience: str | list[str]) -> None:
    with pytest.raises(ValueError, match="neither has a default"):
        Guard(forge.ISSUER, audience=audience)
