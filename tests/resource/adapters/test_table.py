"""One table of requests and answers, the same under every adapter, in both languages."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.resource.adapters.services import SERVICES, Reply, Service
from tests.resource.adapters.table import TABLE, Case, Expected, Headers, bearer
from tests.resource.conftest import FakeClock, Network

KOREAN: Headers = [("Accept-Language", "ko-KR,ko;q=0.9,en;q=0.8")]


def check(expected: Expected | Mapping[str, Any] | None, reply: Reply, language: int) -> None:
    if expected is None:
        assert (reply.status, json.loads(reply.content)["sub"]) == (200, "alice")
    elif isinstance(expected, Expected):
        check_refusal(expected, reply, language)
    else:
        assert (reply.status, json.loads(reply.content)) == (200, expected)
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["cache-control"] == "public, max-age=3600"
        assert reply.headers["access-control-allow-origin"] == "*"


def check_refusal(expected: Expected, reply: Reply, language: int) -> None:
    body: dict[str, Any] = {"error": expected.error, "message": expected.messages[language]}
    if expected.explanation is not None:
        why = expected.explanation
        body["explanation"] = {"code": why.code, "text": why.texts[language], "facts": dict(why.facts)}
    assert (reply.status, json.loads(reply.content)) == (expected.status, body)
    assert reply.content == json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    assert reply.headers.get("www-authenticate") == expected.challenge
    assert reply.headers.get("retry-after") == expected.retry_after
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-type"] == "application/json"


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())
def test_every_adapter_answers_alike(
    service: Service, case: Case, network: Network, clock: FakeClock
) -> None:
    headers = case.headers(network)
    with service(network, clock, **case.settings) as send:
        if case.later:
            assert send("GET", "/any", bearer(network)).status == 200
            clock.advance(case.later)
        check(case.expected, send(case.method, case.path, headers), language=0)
        check(case.expected, send(case.method, case.path, headers + KOREAN), language=1)


def test_no_two_cases_have_the_same_name() -> None:
    assert len({case.name for case in TABLE}) == len(TABLE)
