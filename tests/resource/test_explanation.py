from string import Formatter
from typing import Any

import pytest

from authserver.protocol.revocation import Kind
from authserver.resource import Guard, Refusal, verify
from authserver.resource.explanation import TEXTS, explain
from authserver.resource.guard import PlainRequest
from authserver.resource.refusal import Reason
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network

NOW = float(forge.NOW)


def refuse(head: Any = None, key: Any = forge.KEY, **claims: Any) -> Refusal:
    token = forge.sign(forge.header(**(head or {})), forge.claims(**claims), key)
    outcome = verify(token, keys=forge.public_keys(), issuer=forge.ISSUER, audience=forge.API, now=NOW)
    assert isinstance(outcome, Refusal)
    return outcome


@pytest.mark.parametrize(
    ("refusal", "code", "facts"),
    [
        (refuse(exp=NOW - 75), "expired", {"ago": 75, "leeway": 60, "exp": forge.NOW - 75, "now": forge.NOW}),
        (refuse(nbf=NOW + 61), "not_yet_valid", {"claim": "nbf", "ahead": 61, "leeway": 60}),
        (refuse(iat=NOW + 61), "not_yet_valid", {"claim": "iat", "ahead": 61, "leeway": 60}),
        (refuse(iss="https://x.example"), "wrong_issuer", {"iss": "https://x.example"}),
        (refuse(iss=7), "wrong_issuer", {"iss": None, "expected": forge.ISSUER}),
        (refuse(aud=["a", "b"]), "wrong_audience", {"aud": ["a", "b"], "expected": [forge.API]}),
        (refuse({"typ": "JWT"}), "wrong_type:typ", {"typ": "JWT"}),
        (refuse(cnf={"jkt": "x"}), "wrong_type:cnf", {}),
        (refuse({"kid": "k"}), "unknown_key", {"kid": "k", "known": 1, "keys_age": 12}),
        (refuse(key=forge.OTHER_KEY), "bad_signature", {"kid": forge.KID, "alg": "RS256"}),
        (refuse(sub=7), "malformed", {}),
    ],
)
def test_what_stood_in_the_way_is_said_with_its_facts(
    refusal: Refusal, code: str, facts: dict[str, Any]
) -> None:
    explanation = explain(refusal, keys_age=12.4)
    assert explanation.code == code
    assert facts.items() <= explanation.facts.items()
    assert "{" not in explanation.english + explanation.korean


@pytest.mark.parametrize("seconds", [60, 59, 0])
def test_clocks_may_differ_by_a_minute(seconds: int) -> None:
    for times in ({"iat": NOW + seconds}, {"nbf": NOW + seconds}, {"exp": NOW - seconds + 1}):
        token = forge.sign(forge.header(), forge.claims(**times))
        outcome = verify(token, keys=forge.public_keys(), issuer=forge.ISSUER, audience=forge.API, now=NOW)
        assert not isinstance(outcome, Refusal)


@pytest.mark.parametrize(
    ("times", "detail"),
    [
        ({"exp": NOW - 60}, "expired 60 s ago by our clock; 60 s of clock skew are accepted"),
        ({"iat": NOW + 61}, "iat is 61 s ahead of our clock; 60 s of clock skew are accepted"),
        ({"exp": -1e308}, f"expired {10**12} s ago by our clock; 60 s of clock skew are accepted"),
    ],
)
def test_clocks_that_differ_by_more_are_named_in_the_log_with_the_difference(
    times: dict[str, float], detail: str
) -> None:
    assert refuse(**times).detail == detail


@pytest.mark.parametrize("code", TEXTS)
def test_every_text_is_there_twice_with_the_same_facts_and_fits_a_header(code: str) -> None:
    english, korean = TEXTS[code]
    fields = [sorted(name for _, name, _, _ in Formatter().parse(text) if name) for text in (english, korean)]
    assert fields[0] == fields[1]
    assert english.isascii()
    assert not {'"', "\\"} & set(english)
    assert korean != english


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_even_without_facts(reason: Reason) -> None:
    explanation = explain(Refusal(reason, "detail"))
    assert explanation.english
    assert explanation.korean


def test_a_cut_off_is_told_as_a_moment() -> None:
    facts = {"kind": "sub", "before": forge.NOW}
    assert "before 2026-07-25T17:20:00Z" in explain(Refusal(Reason.SIGNED_OUT, facts=facts)).english
    facts = {"kind": "sub", "before": 10**30}  # no issuer of ours writes it, and no date has it
    assert "before ?" in explain(Refusal(Reason.SIGNED_OUT, facts=facts)).english


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_revocation_has_a_text_of_its_own(kind: Kind) -> None:
    assert f"signed_out:{kind}" in TEXTS


def explaining(network: Network, clock: FakeClock, *, explain: bool = True) -> Guard:
    guard = Guard(
        forge.ISSUER,
        audience=forge.API,
        explain=explain,
        fetch=network,
        clock=clock,
        monotonic_clock=clock,
    )
    guard.close()
    return guard


def test_an_unknown_key_is_judged_by_when_the_keys_were_asked_for(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = explaining(network, clock)
    guard.authenticate(PlainRequest("GET", {"authorization": f"Bearer {issuer.token()}"}))
    token = forge.sign(forge.header(kid="elsewhere"), forge.claims(), forge.OTHER_KEY)
    request = PlainRequest("GET", {"authorization": f"Bearer {token}"})
    guard.authenticate(request)  # asks once more
    clock.advance(3)
    refusal = guard.authenticate(request)
    assert isinstance(refusal, Refusal)
    body = guard.answer(refusal, request).body
    assert body["explanation"]["facts"] == {"kid": "elsewhere", "known": 1, "keys_age": 3}


def test_nothing_is_explained_unless_the_service_said_so(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = explaining(network, clock, explain=False)
    request = PlainRequest("GET", {"authorization": f"Bearer {issuer.token(lifetime=-75)}"})
    refusal = guard.authenticate(request)
    assert isinstance(refusal, Refusal)
    answer = guard.answer(refusal, request)
    assert set(answer.body) == {"error", "message"}
    assert "75" not in str(answer)


def test_an_explanation_never_holds_the_token(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = explaining(network, clock)
    for token in (issuer.token(lifetime=-75), issuer.token() + "x", issuer.token(aud="x" * 5_000), "x.y.z"):
        request = PlainRequest("GET", {"authorization": f"Bearer {token}"})
        refusal = guard.authenticate(request)
        assert isinstance(refusal, Refusal)
        answer = guard.answer(refusal, request)
        assert not any(segment[:20] in str(answer) for segment in token.split(".") if len(segment) > 1)
        assert len(answer.headers["WWW-Authenticate"]) < 1_000


def test_claims_cannot_break_out_of_the_header(
    network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = explaining(network, clock)
    token = issuer.token(aud='x"\r\nSet-Cookie: a=b; "한')
    request = PlainRequest("GET", {"authorization": f"Bearer {token}"})
    refusal = guard.authenticate(request)
    assert isinstance(refusal, Refusal)
    challenge = guard.answer(refusal, request).headers["WWW-Authenticate"]
    assert challenge.isascii()
    assert challenge.isprintable()
    assert challenge.count('"') == 6
