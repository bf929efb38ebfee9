"""One proof, judged (RFC 9449 §4.3): what is wrong with it by its cause, and a guard that asks for one."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from authserver.resource import Principal
from authserver.resource.dpop import BadProof, Expected, Proof, verify_proof
from authserver.resource.guard import Guard, PlainRequest
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.testing import LocalIssuer
from tests.resource import forge, prover
from tests.resource.conftest import FakeClock, Network
from tests.resource.spoiled_proofs import SPOILED, TOKEN

ORDERS = f"{forge.API}/orders"
ALGS = "ES256 RS256 PS256 Ed25519 EdDSA"


def judge(*headers: str, **expected: Any) -> Proof | BadProof:
    return verify_proof(headers, Expected(**({"method": "POST", "uri": TOKEN} | expected)), forge.NOW)


def proof(uri: str = TOKEN, method: str = "POST", **parts: Any) -> str:
    return prover.proof(method, uri, forge.NOW, **parts)


def test_right_proof_tells_whose_key_it_is() -> None:
    assert judge(proof(jti="one")) == Proof(prover.jkt(), "one", forge.NOW)
    assert judge(proof(jti="one", key=prover.RSA_KEY)) == Proof(prover.jkt(prover.RSA_KEY), "one", forge.NOW)


@pytest.mark.parametrize("typ", ["DPoP+JWT", "application/dpop+jwt"])
def test_type_is_compared_as_a_media_type(typ: str) -> None:
    assert isinstance(judge(proof(head={"typ": typ})), Proof)


@pytest.mark.parametrize("parts", SPOILED.values(), ids=SPOILED.keys())
def test_spoiled_proof_proves_nothing(parts: dict[str, Any]) -> None:
    assert isinstance(judge(proof(**parts)), BadProof)


def test_j50_there_is_exactly_one_header() -> None:
    assert judge() == BadProof("no DPoP header")
    assert judge(proof(), proof()) == BadProof("more than one DPoP header")


@pytest.mark.parametrize("position", [0, 20, -1])
def test_j07_any_changed_character_of_a_signature_spoils_it(position: int) -> None:
    head, body, signature = proof().split(".")
    letters = list(signature)
    letters[position] = "A" if letters[position] != "A" else "Q"
    assert isinstance(judge(f"{head}.{body}.{''.join(letters)}"), BadProof)


@pytest.mark.parametrize(
    "ath",
    [
        None,
        "",
        prover.ath("another token"),
        prover.ath("token") + "=",
        prover.ath("token").lower(),
        [prover.ath("token")],
        "\udcff",
    ],
)
def test_j51_j58_proof_for_another_token_proves_nothing(ath: object) -> None:
    assert isinstance(judge(proof(token="token"), token="token"), Proof)
    assert isinstance(judge(proof(ath=ath), token="token"), BadProof)


@pytest.mark.parametrize("nonce", [None, "", "older", 7])
def test_nonce_that_was_given_out_has_to_come_back(nonce: object) -> None:
    assert isinstance(judge(proof(nonce="newest"), nonce="newest"), Proof)
    assert isinstance(judge(proof(nonce=nonce), nonce="newest"), BadProof)


def test_reasons_repeat_nothing_that_was_sent() -> None:
    for parts in SPOILED.values():
        outcome = judge(proof(**parts))
        assert isinstance(outcome, BadProof)
        assert "evil" not in outcome.reason
        assert outcome.reason.isascii()


def test_key_in_a_tokens_header_is_still_refused() -> None:
    """J10: the door that lets a key in is the proofs' alone."""
    token = forge.sign(forge.header(jwk=prover.public()), forge.claims())
    with_proof = guarded(token, proof(ORDERS, "GET", token=token))
    assert isinstance(with_proof, Refusal)
    assert with_proof.reason is Reason.MALFORMED


def guarded(token: str, *proofs: str) -> Principal | Refusal:
    clock = FakeClock()
    network = Network(LocalIssuer(forge.ISSUER, audience=forge.API, key=forge.KEY, clock=clock))
    guard = Guard(forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock)
    guard.close()
    return guard.authenticate(
        ManyHeaders("GET", "/orders", (("authorization", f"DPoP {token}"), *with_name(proofs)))
    )


def with_name(proofs: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(("dpop", proof) for proof in proofs)


@dataclass(frozen=True)
class ManyHeaders:
    """As a server hands them on that joins none."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]

    @property
    def notes(self) -> dict[str, Any]:
        return {}

    def header_values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


@pytest.fixture
def guard(network: Network, clock: FakeClock) -> Iterator[Guard]:
    guard = guard_for(network, clock)
    yield guard
    guard.close()


def guard_for(network: Network, clock: FakeClock, **settings: Any) -> Guard:
    usual: dict[str, Any] = {"audience": forge.API, "fetch": network}
    usual |= {"clock": clock, "monotonic_clock": clock}
    guard = Guard(forge.ISSUER, **(usual | settings))
    guard.close()
    return guard


@pytest.fixture
def bound(issuer: LocalIssuer) -> str:
    """A token that is bound to the prover's key."""
    return issuer.token(cnf={"jkt": prover.jkt()})


def request(
    token: str, shown: str | None, *, scheme: str = "DPoP", method: str = "GET", path: str = "/orders"
) -> PlainRequest:
    headers = {"authorization": f"{scheme} {token}"}
    return PlainRequest(method, headers if shown is None else {**headers, "dpop": shown}, path)


def reason(outcome: Principal | Refusal) -> Reason | None:
    return outcome.reason if isinstance(outcome, Refusal) else None


def for_orders(token: str, **parts: Any) -> str:
    return proof(ORDERS, "GET", token=token, **parts)


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_bound_token_with_its_proof_is_admitted(guard: Guard, bound: str, scheme: str) -> None:
    outcome = guard.authenticate(request(bound, for_orders(bound), scheme=scheme))
    assert isinstance(outcome, Principal)
    assert outcome.claims["cnf"] == {"jkt": prover.jkt()}


def test_async_callers_hear_the_same(guard: Guard, bound: str) -> None:
    once = for_orders(bound)
    assert reason(asyncio.run(guard.authenticate_async(request(bound, once)))) is None
    assert reason(asyncio.run(guard.authenticate_async(request(bound, once)))) is Reason.BAD_PROOF


def test_j50_bound_token_without_a_proof_is_refused(guard: Guard, bound: str) -> None:
    assert reason(guard.authenticate(request(bound, None))) is Reason.BAD_PROOF


def test_j58_bound_token_is_no_bearer_token(guard: Guard, bound: str) -> None:
    bearer = request(bound, for_orders(bound), scheme="Bearer")
    outcome = guard.authenticate(bearer)
    assert isinstance(outcome, Refusal)
    assert (outcome.reason, outcome.error) == (Reason.WRONG_TYPE, "invalid_token")
    challenge = guard.answer(outcome, bearer).headers["WWW-Authenticate"]
    assert challenge.startswith(f'DPoP realm="{forge.API}", error="invalid_token"')


def test_j58_bearer_token_gains_nothing_by_a_proof(guard: Guard, issuer: LocalIssuer) -> None:
    plain = issuer.token()
    assert reason(guard.authenticate(request(plain, for_orders(plain)))) is Reason.WRONG_TYPE


def test_j58_token_of_another_key_is_refused(guard: Guard, bound: str) -> None:
    stolen = request(bound, for_orders(bound, key=prover.OTHER_KEY))
    assert reason(guard.authenticate(stolen)) is Reason.BAD_PROOF


def test_j58_proof_of_another_token_is_refused(guard: Guard, issuer: LocalIssuer, bound: str) -> None:
    older = issuer.token(cnf={"jkt": prover.jkt()})
    assert reason(guard.authenticate(request(bound, for_orders(older)))) is Reason.BAD_PROOF


@pytest.mark.parametrize(
    "cnf",
    [
        {},
        {"jkt": 7},
        {"jkt": None},
        {"x5t#S256": "A" * 43},
        {"jwk": prover.public()},
        {"jkt": prover.jkt(), "x5t#S256": "A" * 43},
        [prover.jkt()],
        prover.jkt(),
        None,
    ],
)
def test_j43_other_ways_to_bind_a_token_are_refused(guard: Guard, issuer: LocalIssuer, cnf: object) -> None:
    token = issuer.token(cnf=cnf)
    for scheme in ("DPoP", "Bearer"):
        outcome = guard.authenticate(request(token, for_orders(token), scheme=scheme))
        assert reason(outcome) is Reason.WRONG_TYPE


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/orders"), ("GET", "/orders/"), ("GET", "/refunds"), ("GET", "")]
)
def test_j54_proof_for_another_request_is_refused(guard: Guard, bound: str, method: str, path: str) -> None:
    shown = request(bound, for_orders(bound), method=method, path=path)
    assert reason(guard.authenticate(shown)) is Reason.BAD_PROOF


def test_j54_proof_that_was_made_for_another_service_is_refused_whatever_host_says(
    guard: Guard, bound: str
) -> None:
    """Whoever received it there sends it here with that service's name as `Host`."""
    theirs = proof("https://evil.example/orders", "GET", token=bound)
    headers = {"authorization": f"DPoP {bound}", "dpop": theirs, "host": "evil.example"}
    headers |= {"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    assert reason(guard.authenticate(PlainRequest("GET", headers, "/orders"))) is Reason.BAD_PROOF


def test_j57_proof_is_good_for_one_request(guard: Guard, bound: str) -> None:
    once = for_orders(bound)
    first = request(bound, once)
    assert reason(guard.authenticate(first)) is None
    assert reason(guard.authenticate(first)) is None  # a middleware and a view ask about the same one
    refused = guard.authenticate(request(bound, once))
    assert reason(refused) is Reason.BAD_PROOF
    assert reason(guard.authenticate(first)) is None


def test_proof_is_not_used_up_by_a_request_that_is_refused(guard: Guard, issuer: LocalIssuer) -> None:
    """Nobody without a good token takes up room in the memory."""
    over = issuer.token(cnf={"jkt": prover.jkt()}, lifetime=-3_600)
    assert reason(guard.authenticate(request(over, for_orders(over)))) is Reason.EXPIRED
    possession = guard._credentials.possession
    assert possession is not None
    assert not possession._seen._young


def test_signed_out_token_is_refused_with_its_proof_as_well(
    guard: Guard, issuer: LocalIssuer, bound: str
) -> None:
    assert reason(guard.authenticate(request(bound, for_orders(bound)))) is None
    issuer.revoke("sub", "alice", before=forge.NOW + 1)
    assert guard._trust.feed is not None
    guard._trust.feed.poll_once()
    assert reason(guard.authenticate(request(bound, for_orders(bound)))) is Reason.SIGNED_OUT


def test_service_without_an_address_takes_no_bound_tokens(network: Network, clock: FakeClock) -> None:
    token = network.issuer.token(aud="orders", cnf={"jkt": prover.jkt()})
    guard = guard_for(network, clock, audience="orders")
    assert reason(guard.authenticate(request(token, for_orders(token)))) is Reason.BAD_PROOF


def test_service_may_be_reached_at_several_addresses(network: Network, clock: FakeClock) -> None:
    places = ["https://orders.example.com", "http://localhost:8000"]
    guard = guard_for(network, clock, served_at=places)
    token = network.issuer.token(cnf={"jkt": prover.jkt()})
    for place in places:
        shown = proof(f"{place}/orders", "GET", token=token)
        assert reason(guard.authenticate(request(token, shown))) is None
    assert reason(guard.authenticate(request(token, for_orders(token)))) is Reason.BAD_PROOF


@pytest.mark.parametrize(
    "wrong", ["https://a.example/", "a.example", "https://A.example", "null", "https://a.example:443"]
)
def test_impossible_address_is_heard_of_at_the_start(network: Network, clock: FakeClock, wrong: str) -> None:
    with pytest.raises(ValueError, match="served_at"):
        guard_for(network, clock, served_at=[wrong])


def test_request_whose_path_nobody_knows_is_refused(guard: Guard, bound: str) -> None:
    class WithoutPath:
        method = "GET"

        def header_values(self, name: str) -> list[str]:
            return {"authorization": [f"DPoP {bound}"], "dpop": [for_orders(bound)]}.get(name, [])

    assert reason(guard.authenticate(WithoutPath())) is Reason.BAD_PROOF


@pytest.mark.parametrize(
    ("shown", "error"),
    [(None, "invalid_dpop_proof"), ("ours", "invalid_dpop_proof"), ("late", "invalid_token")],
)
def test_challenge_names_the_scheme_and_how_to_sign(
    guard: Guard, issuer: LocalIssuer, bound: str, shown: str | None, error: str
) -> None:
    token = issuer.token(cnf={"jkt": prover.jkt()}, lifetime=-3_600) if shown == "late" else bound
    asked = request(
        token, None if shown is None else for_orders(token, htm="GET" if shown == "late" else "PUT")
    )
    outcome = guard.authenticate(asked)
    assert isinstance(outcome, Refusal)
    answer = guard.answer(outcome, asked)
    assert answer.status == 401
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith(f'DPoP realm="{forge.API}", error="{error}", error_description="')
    assert challenge.endswith(f'algs="{ALGS}"')


def test_guard_that_explains_says_what_is_wrong_with_a_proof(network: Network, clock: FakeClock) -> None:
    guard = guard_for(network, clock, explain=True)
    token = network.issuer.token(cnf={"jkt": prover.jkt()})
    asked = request(token, for_orders(token, htm="PUT"))
    outcome = guard.authenticate(asked)
    assert isinstance(outcome, Refusal)
    assert "htm is not GET" in guard.answer(outcome, asked).body["explanation"]["text"]
