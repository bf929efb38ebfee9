"""The caching habits are what the report calls them."""

import json
from importlib import import_module
from typing import Any

import jwt
import pytest
from joserfc.errors import InvalidKeyIdError
from joserfc.jwt import encode

from authserver.drill.verifiers import KINDS, Service, pyjwt
from authserver.drill.verifiers.max_age import MaxAgeCache
from authserver.drill.verifiers.start_up import StartUp
from authserver.resource.http import Fetched, FetchFailed
from tests.clocks import HandClock
from tests.signing_keys import load_rsa_keys

PAIR = load_rsa_keys()[0]


class Published:
    """A JWKS with these kids; counts who asks."""

    def __init__(self, *kids: str, max_age: float | None = 2.0) -> None:
        self.kids = kids
        self.max_age = max_age
        self.asked = 0

    def __call__(self, url: str, etag: str | None) -> Fetched:
        self.asked += 1
        keys = [{**PAIR.as_dict(private=False), "kid": kid} for kid in self.kids]
        return Fetched(200, json.dumps({"keys": keys}).encode(), max_age=self.max_age)


def token(kid: str) -> str:
    return encode({"alg": "RS256", "kid": kid}, {"sub": "alice"}, PAIR)


def test_a_strict_cache_asks_when_max_age_is_over_and_not_before() -> None:
    clock, published = HandClock(), Published("a")
    cache = MaxAgeCache("http://127.0.0.1/jwks", published, clock.monotonic)
    for advance, asked in ((0, 1), (1.9, 1), (0.2, 2), (1.9, 2), (0.2, 3)):
        clock.advance(advance)
        assert [key.kid for key in cache.keys.keys] == ["a"]
        assert published.asked == asked


def test_a_strict_cache_takes_no_keys_without_max_age() -> None:
    cache = MaxAgeCache("http://127.0.0.1/jwks", Published("a", max_age=None), HandClock().monotonic)
    with pytest.raises(ValueError, match="without max-age"):
        _ = cache.keys


def test_a_strict_cache_keeps_nothing_when_it_cannot_ask() -> None:
    def unreachable(url: str, etag: str | None) -> Fetched:
        raise FetchFailed("gone")

    with pytest.raises(FetchFailed):
        _ = MaxAgeCache("http://127.0.0.1/jwks", unreachable, HandClock().monotonic).keys


def test_start_up_only_asks_once_and_again_for_an_unknown_kid_alone() -> None:
    published = Published("a")
    keys = StartUp("http://127.0.0.1/jwks", published)
    for _ in range(3):
        assert keys.decode(token("a")).claims == {"sub": "alice"}
    assert published.asked == 1
    published.kids = ("b",)
    assert keys.decode(token("a")).claims  # for ever, as nobody told it
    assert keys.decode(token("b")).claims
    assert published.asked == 2
    with pytest.raises(InvalidKeyIdError):
        keys.decode(token("a"))


def test_pyjwts_own_times_are_quickened_like_max_age(monkeypatch: pytest.MonkeyPatch) -> None:
    made: dict[str, Any] = {}
    monkeypatch.setattr(jwt, "PyJWKClient", lambda url, **times: made.update(times))
    pyjwt.verifier(Service("http://127.0.0.1:1", "a", max_age=2.0, contract=3.0))
    assert made == {"lifespan": pytest.approx(2.0), "cooldown_duration": pytest.approx(0.2)}


def test_pyjwts_own_times_are_still_those_that_the_drill_quickens() -> None:
    client = jwt.PyJWKClient("http://127.0.0.1:1/jwks")
    assert client.cooldown_duration == pyjwt.COOLDOWN
    assert client.jwk_set_cache is not None
    assert client.jwk_set_cache.lifespan == pyjwt.LIFESPAN


def test_every_verifier_of_the_list_is_there_and_only_the_guard_follows_the_revocation_list() -> None:
    assert all(
        callable(import_module(f"authserver.drill.verifiers.{kind.module}").verifier) for kind in KINDS
    )
    assert [kind.module for kind in KINDS if kind.follows_list] == ["guard"]


def test_guard_and_joserfc_need_nothing_that_could_be_missing() -> None:
    needs = {kind.module: kind.library for kind in KINDS}
    assert needs["guard"] == "authserver"
    assert needs["max_age_joserfc"] == needs["start_up"] == "joserfc"


def test_what_is_not_installed_says_what_to_install() -> None:
    missing = KINDS[1].__class__("x", "X", "habit", "worst", "no_such_library_anywhere", "x-package")
    assert not missing.installed
    assert missing.advice == "not installed: pip install x-package"
