import asyncio
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from authserver.protocol.revocation import Kind
from authserver.resource.freshness import Freshness
from authserver.resource.guard import Guard, PlainRequest, Requirement
from authserver.resource.http import Fetched, FetchFailed
from authserver.resource.principal import Principal
from authserver.resource.refusal import Reason, Refusal
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network

JWKS = "/.well-known/jwks.json"
FEED = "/revocations"


@pytest.fixture
def guard(network: Network, clock: FakeClock) -> Iterator[Guard]:
    guard = guard_for(network, clock)
    yield guard
    guard.close()


def guard_for(network: Network, clock: FakeClock, **settings: Any) -> Guard:
    guard = Guard(
        forge.ISSUER, audience=forge.API, fetch=network, clock=clock, monotonic_clock=clock, **settings
    )
    guard.close()  # no thread: these tests poll by hand
    return guard


def poll(guard: Guard) -> None:
    assert guard._trust.feed is not None
    guard._trust.feed.poll_once()


def request(method: str = "GET", **headers: str) -> PlainRequest:
    return PlainRequest(method, {name.replace("_", "-"): value for name, value in headers.items()})


def bearer(token: str) -> PlainRequest:
    return request(authorization=f"Bearer {token}")


def reason(outcome: Principal | Refusal) -> Reason | None:
    return outcome.reason if isinstance(outcome, Refusal) else None


@dataclass(frozen=True)
class ManyHeaders:
    method: str
    headers: Sequence[tuple[str, str]]

    def header_values(self, name: str) -> Sequence[str]:
        return [value for key, value in self.headers if key == name]


def test_a_good_token_is_let_in_and_the_issuer_is_asked_once(
    guard: Guard, issuer: LocalIssuer, network: Network
) -> None:
    for number in range(3):
        assert isinstance(guard.authenticate(bearer(issuer.token(str(number)))), Principal)
    assert sorted(network.asked) == [forge.ISSUER + JWKS, forge.ISSUER + FEED]


def test_async_callers_get_the_same_and_the_fetch_is_off_the_loop(guard: Guard, issuer: LocalIssuer) -> None:
    threads = []
    fetch = guard._trust.jwks._fetch

    def noted(url: str, etag: str | None) -> Fetched:
        threads.append(threading.current_thread())
        return fetch(url, etag)

    guard._trust.jwks._fetch = noted
    outcome = asyncio.run(guard.authenticate_async(bearer(issuer.token())))
    assert isinstance(outcome, Principal)
    assert threads
    assert threading.main_thread() not in threads


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(guard: Guard, issuer: LocalIssuer, scheme: str) -> None:
    assert isinstance(guard.authenticate(request(authorization=f"{scheme} {issuer.token()}")), Principal)


@pytest.mark.parametrize(
    "form",
    [
        "Bearer  {}",
        "Bearer\t{}",
        "Bearer {} ",
        "Bearer {}\r",
        "Bearer {},{}",
        'Bearer "{}"',
        "Bearer token={}",
    ],
)
def test_j27_exactly_one_space_and_nothing_around_the_token(
    guard: Guard, issuer: LocalIssuer, form: str
) -> None:
    outcome = guard.authenticate(request(authorization=form.replace("{}", issuer.token())))
    assert reason(outcome) in {Reason.MALFORMED, Reason.MISSING}


@pytest.mark.parametrize("value", ["", "Basic dTpw", "Bearer", "DPoP", "Bearerx.y.z"])
def test_without_a_bearer_token_there_is_none(guard: Guard, value: str) -> None:
    assert reason(guard.authenticate(request(authorization=value))) in {Reason.MISSING, Reason.MALFORMED}
    assert reason(guard.authenticate(request())) is Reason.MISSING


def test_two_authorization_headers_are_malformed(guard: Guard, issuer: LocalIssuer) -> None:
    header = ("authorization", f"Bearer {issuer.token()}")
    assert reason(guard.authenticate(ManyHeaders("GET", [header, header]))) is Reason.MALFORMED


@pytest.mark.parametrize("name", ["__Host-access_token", "__Secure-access_token"])
def test_the_token_cookie_is_read(guard: Guard, issuer: LocalIssuer, name: str) -> None:
    outcome = guard.authenticate(request(cookie=f"theme=dark; {name}={issuer.token('bob')}; x"))
    assert isinstance(outcome, Principal)
    assert outcome.sub == "bob"


def test_the_header_wins_over_the_cookie(guard: Guard, issuer: LocalIssuer) -> None:
    cookie = f"__Host-access_token={issuer.token('cookie')}"
    outcome = guard.authenticate(
        request("POST", authorization=f"Bearer {issuer.token('header')}", cookie=cookie)
    )
    assert isinstance(outcome, Principal)
    assert outcome.sub == "header"


def test_a_bad_header_is_not_rescued_by_a_good_cookie(guard: Guard, issuer: LocalIssuer) -> None:
    cookie = f"__Host-access_token={issuer.token()}"
    assert reason(guard.authenticate(request(authorization="Bearer x", cookie=cookie))) is Reason.MALFORMED


def test_a_token_cookie_sent_twice_is_none(guard: Guard, issuer: LocalIssuer) -> None:
    cookies = [("cookie", f"__Host-access_token={issuer.token(name)}") for name in ("alice", "mallory")]
    assert reason(guard.authenticate(ManyHeaders("GET", cookies))) is Reason.MISSING


def test_the_cookie_that_a_sibling_domain_cannot_plant_comes_first(guard: Guard, issuer: LocalIssuer) -> None:
    planted = f"__Secure-access_token={issuer.token('mallory')}; __Host-access_token={issuer.token('alice')}"
    outcome = guard.authenticate(request(cookie=planted))
    assert isinstance(outcome, Principal)
    assert outcome.sub == "alice"


def test_cookies_can_be_switched_off(network: Network, clock: FakeClock, issuer: LocalIssuer) -> None:
    guard = guard_for(network, clock, token_cookies=())
    assert (
        reason(guard.authenticate(request(cookie=f"__Host-access_token={issuer.token()}"))) is Reason.MISSING
    )


def test_a_cookie_sent_by_another_sites_page_is_a_forged_request(guard: Guard, issuer: LocalIssuer) -> None:
    cookie = f"__Host-access_token={issuer.token()}"
    forged = request("POST", cookie=cookie, origin="https://evil.example", host="api.example.com")
    assert reason(guard.authenticate(forged)) is Reason.FORGED_REQUEST
    own = request("POST", cookie=cookie, origin="https://api.example.com", host="api.example.com")
    assert isinstance(guard.authenticate(own), Principal)
    assert reason(guard.authenticate(request("POST", cookie=cookie))) is Reason.FORGED_REQUEST


def test_allowed_origins_may_send_the_cookie(network: Network, clock: FakeClock, issuer: LocalIssuer) -> None:
    guard = guard_for(network, clock, allowed_origins=["https://shop.example.com"])
    cookie = f"__Host-access_token={issuer.token()}"
    sent = request("POST", cookie=cookie, origin="https://shop.example.com", host="api.example.com")
    assert isinstance(guard.authenticate(sent), Principal)


def test_a_header_needs_no_origin(guard: Guard, issuer: LocalIssuer) -> None:
    sent = request("POST", authorization=f"Bearer {issuer.token()}", origin="https://evil.example", host="x")
    assert isinstance(guard.authenticate(sent), Principal)


def test_a_rotated_key_is_fetched_when_its_first_token_arrives(
    guard: Guard, network: Network, clock: FakeClock
) -> None:
    assert isinstance(guard.authenticate(bearer(network.issuer.token())), Principal)
    network.issuer = LocalIssuer(forge.ISSUER, audience=forge.API, key=forge.OTHER_KEY, clock=clock)
    assert isinstance(guard.authenticate(bearer(network.issuer.token())), Principal)
    assert network.count(JWKS) == 2


def test_k07_unknown_kids_cost_one_fetch_per_cooldown(
    guard: Guard, network: Network, clock: FakeClock
) -> None:
    for number in range(100):
        token = forge.sign(forge.header(kid=f"evil-{number}"), forge.claims(), forge.OTHER_KEY)
        assert reason(guard.authenticate(bearer(token))) is Reason.UNKNOWN_KEY
    assert network.count(JWKS) == 2
    clock.advance(5)
    guard.authenticate(bearer(forge.sign(forge.header(kid="evil"), forge.claims(), forge.OTHER_KEY)))
    assert network.count(JWKS) == 3


def test_j10_j11_nothing_in_a_token_makes_the_guard_fetch_from_elsewhere(
    guard: Guard, network: Network
) -> None:
    for name in ("jku", "x5u", "iss"):
        token = forge.sign(
            forge.header(**{name: "https://evil.example/jwks"}), forge.claims(iss="https://evil.example")
        )
        assert isinstance(guard.authenticate(bearer(token)), Refusal)
    assert {url.startswith(forge.ISSUER) for url in network.asked} == {True}


def test_a_signed_out_session_is_refused_after_the_next_poll(guard: Guard, issuer: LocalIssuer) -> None:
    token = issuer.token(sid="phone")
    assert isinstance(guard.authenticate(bearer(token)), Principal)
    issuer.revoke(Kind.SID, "phone")
    poll(guard)
    assert reason(guard.authenticate(bearer(token))) is Reason.SIGNED_OUT


def test_a_compromised_key_is_refused_after_the_next_poll(guard: Guard, network: Network) -> None:
    token = forge.sign(forge.header(kid=forge.OTHER_KEY.kid), forge.claims(), forge.OTHER_KEY)
    import json

    both = {"keys": [forge.public_jwk(), forge.public_jwk(forge.OTHER_KEY)]}
    network.broken[JWKS] = Fetched(200, json.dumps(both).encode(), max_age=300)
    assert isinstance(guard.authenticate(bearer(token)), Principal)
    network.issuer.revoke(Kind.KID, str(forge.OTHER_KEY.kid))
    poll(guard)
    assert reason(guard.authenticate(bearer(token))) is Reason.SIGNED_OUT


def test_without_keys_the_guard_is_unavailable_and_does_not_ask_for_each_request(
    guard: Guard, network: Network, issuer: LocalIssuer
) -> None:
    network.broken[JWKS] = FetchFailed("down")
    for _ in range(10):
        assert reason(guard.authenticate(bearer(issuer.token()))) is Reason.UNAVAILABLE
    assert network.count(JWKS) == 1


def test_a_service_that_never_saw_the_list_refuses(
    guard: Guard, network: Network, issuer: LocalIssuer, clock: FakeClock
) -> None:
    network.broken[FEED] = FetchFailed("down")
    for _ in range(10):
        assert reason(guard.authenticate(bearer(issuer.token()))) is Reason.UNAVAILABLE
    assert network.count(FEED) == 1
    network.broken.clear()
    clock.advance(3)
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)


def test_with_the_issuer_down_for_an_hour_verification_goes_on(
    guard: Guard, network: Network, issuer: LocalIssuer, clock: FakeClock
) -> None:
    token = issuer.token(lifetime=7_200)
    assert isinstance(guard.authenticate(bearer(token)), Principal)
    network.broken[""] = FetchFailed("down")
    clock.advance(3_600)
    poll(guard)
    assert isinstance(guard.authenticate(bearer(token)), Principal)
    assert guard.revocation_age == 3_600


def test_a_guard_that_chose_so_refuses_when_its_list_is_stale(
    network: Network, issuer: LocalIssuer, clock: FakeClock
) -> None:
    guard = guard_for(network, clock, freshness=Freshness(max_staleness=10, beyond="refuse"))
    token = issuer.token()
    assert isinstance(guard.authenticate(bearer(token)), Principal)
    clock.advance(11)
    assert reason(guard.authenticate(bearer(token))) is Reason.STALE
    poll(guard)
    assert isinstance(guard.authenticate(bearer(token)), Principal)


def test_an_issuer_without_a_feed_can_be_used_on_purpose(
    network: Network, issuer: LocalIssuer, clock: FakeClock
) -> None:
    guard = guard_for(network, clock, follow_revocations=False)
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)
    assert network.count(FEED) == 0
    assert guard.revocation_age is None


def test_an_issuer_by_plain_http_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="https"):
        Guard("http://login.example.com", audience=forge.API)
    Guard("http://127.0.0.1:8000", audience=forge.API)


def test_requirements_are_all_scopes_and_one_role() -> None:
    from authserver.resource.jws import VerifiedClaims

    holder = Principal(VerifiedClaims(forge.claims(scope="a b", roles=["x"])), "k")
    assert Requirement(frozenset("ab"), frozenset({"x", "y"})).judge(holder) is holder
    lacking = Requirement(frozenset("abc")).judge(holder)
    assert isinstance(lacking, Refusal)
    assert lacking.scope == frozenset("abc")
    assert isinstance(Requirement(roles=frozenset("y")).judge(holder), Refusal)


def test_inside_testing_a_local_issuer_is_trusted_and_afterwards_not(
    guard: Guard, issuer: LocalIssuer
) -> None:
    with guard.testing() as stand_in:
        token = stand_in.token("alice", scope="orders:write")
        assert isinstance(guard.authenticate(bearer(token)), Principal)
        assert reason(guard.authenticate(bearer(issuer.token()))) is Reason.UNKNOWN_KEY
    assert reason(guard.authenticate(bearer(token))) is Reason.UNKNOWN_KEY
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)
