"""Which tokens are in use, and the altered one among them."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from authserver.drill.tokens import FORGED, MARGIN, PER_KEY, Issued, LiveTokens, forged, issued


def encoded(part: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def compact(kid: str, exp: int, sub: str = "alice") -> str:
    return f"{encoded({'kid': kid})}.{encoded({'exp': exp, 'sub': sub})}.signature"


def test_a_token_is_put_aside_before_it_expires() -> None:
    assert issued(compact("a", 1_000)) == Issued("a", compact("a", 1_000), 1_000 - MARGIN)


def test_only_the_newest_tokens_of_a_key_are_used() -> None:
    tokens = LiveTokens()
    for number in range(PER_KEY + 3):
        tokens.add(issued(compact("a", 1_000 + number)))
    alive = [one.alive_until for one in tokens.alive(0) if one.label != FORGED]
    assert alive == [1_002, 1_003, 1_004, 1_005]


def test_a_dead_token_is_not_used() -> None:
    tokens = LiveTokens()
    tokens.add(issued(compact("a", 1_000)))
    assert tokens.alive(998)
    assert tokens.alive(999) == []


def test_keys_take_turns_and_a_forgery_comes_last() -> None:
    tokens = LiveTokens()
    for kid in ("a", "b", "a", "b", "b"):
        tokens.add(issued(compact(kid, 1_000)))
    assert [one.label for one in tokens.alive(0)] == ["a", "b", "a", "b", "b", FORGED]
    assert tokens.kids == ["a", "b"]


def test_a_forgery_has_another_name_under_the_same_signature() -> None:
    good = issued(compact("a", 1_000))
    header, payload, signature = forged(good).value.split(".")
    assert (header, signature) == (good.value.split(".")[0], "signature")
    claims = json.loads(urlsafe_b64decode(payload + "=="))
    assert claims == {"exp": 1_000, "sub": "somebody-else"}
