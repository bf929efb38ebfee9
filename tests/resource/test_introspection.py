"""Introspection against a real peer, Authlib's endpoint, and against peers that are none."""

import asyncio
import base64
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, Response
from werkzeug.serving import make_server

from authserver.resource import Freshness, Guard, Introspection, Principal, Refusal
from authserver.resource.credentials import PlainRequest
from authserver.resource.http import Fetched, FetchFailed
from authserver.resource.refusal import Reason
from authserver.resource.testing import LocalIssuer
from tests.resource import forge
from tests.resource.conftest import FakeClock, Network

CLIENT, SECRET = "orders:api", "s3cret/with:every%thing&"
ENDPOINT = "https://login.example.com/introspect"


@dataclass
class Peer:
    """An authorization server of Authlib's that introspects; what it knows is in `tokens`."""

    url: str = ""
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: int = 0


@dataclass(frozen=True)
class Client:
    client_id: str = CLIENT

    def check_client_secret(self, secret: str) -> bool:
        return secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method, endpoint) == ("client_secret_basic", "introspection")


@dataclass(frozen=True)
class Known:
    answer: dict[str, Any]

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return bool(self.answer.get("revoked"))


def authlib_application(peer: Peer) -> Flask:
    app = Flask("peer")
    server = AuthorizationServer(
        app, query_client=lambda name: Client() if name == CLIENT else None, save_token=lambda *_: None
    )

    class Introspects(IntrospectionEndpoint):  # type: ignore[misc]
        CLIENT_AUTH_METHODS = ["client_secret_basic"]  # noqa: RUF012 - as Authlib declares it

        def check_permission(self, token: Any, client: Any, request: Any) -> bool:
            return bool(client.client_id == CLIENT)

        def query_token(self, token_string: str, token_type_hint: str) -> Known | None:
            assert token_type_hint == "access_token"
            peer.asked += 1
            return Known(peer.tokens[token_string]) if token_string in peer.tokens else None

        def introspect_token(self, token: Known) -> dict[str, Any]:
            return token.answer

    server.register_endpoint(Introspects)

    @app.post("/introspect")
    def introspect() -> Response:
        answer: Response = server.create_endpoint_response(Introspects.ENDPOINT_NAME)
        return answer

    return app


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, authlib_application(peer), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    peer.url = f"http://127.0.0.1:{server.server_port}/introspect"
    yield peer
    server.shutdown()
    thread.join()
    server.server_close()


def stale_guard(network: Network, clock: FakeClock, introspection: Introspection) -> Guard:
    """With a list that is a minute old, and always will be."""
    guard = Guard(
        forge.ISSUER,
        audience=forge.API,
        freshness=Freshness(10, "introspect"),
        introspection=introspection,
        fetch=network,
        clock=clock,
        monotonic_clock=clock,
    )
    guard.close()
    assert isinstance(guard.authenticate(bearer(network.issuer.token())), Principal)
    clock.advance(60)
    return guard


def bearer(token: str) -> PlainRequest:
    return PlainRequest("GET", {"authorization": f"Bearer {token}"})


def reason(outcome: Principal | Refusal) -> Reason | None:
    return outcome.reason if isinstance(outcome, Refusal) else None


def test_active_token_is_admitted_and_a_revoked_or_unknown_one_is_signed_out(
    peer: Peer, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = stale_guard(network, clock, Introspection(peer.url, CLIENT, SECRET))
    active, revoked, unknown = issuer.token("alice"), issuer.token("bob"), issuer.token("carol")
    about = {"iss": forge.ISSUER, "sub": "alice", "aud": forge.API, "client_id": "test-client"}
    peer.tokens = {active: about, revoked: {"revoked": True}}
    assert isinstance(guard.authenticate(bearer(active)), Principal)
    assert reason(guard.authenticate(bearer(revoked))) is Reason.SIGNED_OUT
    assert reason(guard.authenticate(bearer(unknown))) is Reason.SIGNED_OUT
    assert peer.asked == 3


def test_the_event_loop_is_not_held_by_the_question(
    peer: Peer, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = stale_guard(network, clock, Introspection(peer.url, CLIENT, SECRET))
    token = issuer.token()
    peer.tokens[token] = {}
    loop_threads = []
    ask = guard._trust.introspection._post  # type: ignore[union-attr]

    def noted(url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        loop_threads.append(threading.current_thread() is threading.main_thread())
        return ask(url, headers, body)

    guard._trust.introspection._post = noted  # type: ignore[union-attr]
    assert isinstance(asyncio.run(guard.authenticate_async(bearer(token))), Principal)
    assert loop_threads == [False]


def test_wrong_client_secret_admits_nobody(
    peer: Peer, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = stale_guard(network, clock, Introspection(peer.url, CLIENT, "wrong"))
    token = issuer.token()
    peer.tokens[token] = {}
    assert reason(guard.authenticate(bearer(token))) is Reason.STALE


@dataclass
class Endpoint:
    """A `Post` that answers what a test wants, and notes what it was sent."""

    answer: Fetched | Exception = field(default_factory=lambda: Fetched(200, b'{"active":true}'))
    sent: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        self.sent.append((url, dict(headers), body))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def guard(endpoint: Endpoint, network: Network, clock: FakeClock) -> Guard:
    introspection = Introspection(ENDPOINT, CLIENT, SECRET, post=endpoint, clock=clock)
    return stale_guard(network, clock, introspection)


def test_id_and_secret_are_form_encoded_before_basic_joins_them(
    guard: Guard, endpoint: Endpoint, issuer: LocalIssuer
) -> None:
    """RFC 6749 §2.3.1: else the colon in the id would end it."""
    token = issuer.token()
    guard.authenticate(bearer(token))
    [(url, headers, body)] = endpoint.sent
    pair = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    assert pair == "orders%3Aapi:s3cret%2Fwith%3Aevery%25thing%26"
    assert (url, headers["Content-Type"]) == (ENDPOINT, "application/x-www-form-urlencoded")
    assert body == f"token={token}&token_type_hint=access_token".encode()


def test_one_token_is_asked_about_once_a_second(
    guard: Guard, endpoint: Endpoint, issuer: LocalIssuer, clock: FakeClock
) -> None:
    token = issuer.token()
    for _ in range(5):
        assert isinstance(guard.authenticate(bearer(token)), Principal)
    assert len(endpoint.sent) == 1
    clock.advance(1)
    endpoint.answer = Fetched(200, b'{"active":false}')
    assert reason(guard.authenticate(bearer(token))) is Reason.SIGNED_OUT
    assert len(endpoint.sent) == 2


def test_many_who_ask_at_once_are_one_question(
    endpoint: Endpoint, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    everybody_is_here, may_answer = threading.Barrier(9), threading.Event()

    def slow(url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        may_answer.wait(5)
        return endpoint(url, headers, body)

    guard = stale_guard(network, clock, Introspection(ENDPOINT, CLIENT, SECRET, post=slow, clock=clock))
    token, outcomes = issuer.token(), []

    def ask() -> None:
        everybody_is_here.wait()
        outcomes.append(guard.authenticate(bearer(token)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    everybody_is_here.wait()
    may_answer.set()
    for thread in threads:
        thread.join()
    assert all(isinstance(outcome, Principal) for outcome in outcomes)
    assert (len(outcomes), len(endpoint.sent)) == (8, 1)


def test_forged_and_expired_tokens_are_never_asked_about(guard: Guard, endpoint: Endpoint) -> None:
    """Or anybody could make this service knock at the issuer's door a million times."""
    for token in (
        forge.sign(forge.header(), forge.claims(), forge.OTHER_KEY),
        forge.sign(forge.header(), forge.claims(exp=forge.NOW - 3_600)),
        forge.sign(forge.header(), forge.claims(aud="https://other.example.com")),
    ):
        assert isinstance(guard.authenticate(bearer(token)), Refusal)
    assert endpoint.sent == []


def test_a_missing_scope_is_refused_without_a_question(
    guard: Guard, endpoint: Endpoint, issuer: LocalIssuer
) -> None:
    writing = guard.requirement("orders:write")
    assert reason(guard.authenticate(bearer(issuer.token()), writing)) is Reason.INSUFFICIENT_SCOPE
    assert endpoint.sent == []


@pytest.mark.parametrize(
    "answer",
    [
        Fetched(200, b""),
        Fetched(200, b"[]"),
        Fetched(200, b"{}"),
        Fetched(200, b'{"active":"true"}'),
        Fetched(200, b'{"active":1}'),
        Fetched(200, b'{"active":false,"active":true}'),
        Fetched(200, b"<html>"),
        Fetched(401, b'{"active":true}'),
        Fetched(302, b'{"active":true}'),
        Fetched(500, b'{"active":true}'),
        FetchFailed("down"),
        RuntimeError("whatever"),
    ],
)
def test_an_answer_that_is_none_admits_nobody_and_is_logged_once(
    guard: Guard,
    endpoint: Endpoint,
    issuer: LocalIssuer,
    clock: FakeClock,
    answer: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    endpoint.answer = answer
    for _ in range(3):
        for _ in range(3):
            assert reason(guard.authenticate(bearer(issuer.token()))) is Reason.STALE
        clock.advance(1)
    assert len(endpoint.sent) == 3  # it rests for a second
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    assert SECRET not in caplog.text
    endpoint.answer = Fetched(200, b'{"active":true}')
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)


@pytest.mark.parametrize(
    "about",
    [
        '"iss":"https://evil.example"',
        '"sub":"mallory"',
        '"sub":null',
        '"client_id":"other"',
        '"jti":"other"',
        '"aud":"https://other.example.com"',
        '"aud":["https://other.example.com"]',
        '"aud":7',
    ],
)
def test_an_answer_about_another_token_is_none(
    guard: Guard, endpoint: Endpoint, issuer: LocalIssuer, about: str
) -> None:
    endpoint.answer = Fetched(200, f'{{"active":true,{about}}}'.encode())
    assert reason(guard.authenticate(bearer(issuer.token("alice")))) is Reason.STALE


def test_what_agrees_is_no_contradiction(guard: Guard, endpoint: Endpoint, issuer: LocalIssuer) -> None:
    agreed = f'"iss":"{forge.ISSUER}","sub":"alice","aud":["x","{forge.API}"],"client_id":"test-client"'
    endpoint.answer = Fetched(200, f'{{"active":true,{agreed}}}'.encode())
    assert isinstance(guard.authenticate(bearer(issuer.token("alice"))), Principal)


def test_what_is_remembered_is_bounded(guard: Guard, endpoint: Endpoint, issuer: LocalIssuer) -> None:
    introspection = guard._trust.introspection
    assert introspection is not None
    for number in range(3_000):
        introspection.ask(f"token {number}")
    assert len(introspection._answers) <= 1_024
    assert introspection._flights == {}


def test_a_service_that_never_had_a_list_may_ask(
    endpoint: Endpoint, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    network.broken["/revocations"] = FetchFailed("down")
    guard = Guard(
        forge.ISSUER,
        audience=forge.API,
        freshness=Freshness(10, "introspect"),
        introspection=Introspection(ENDPOINT, CLIENT, SECRET, post=endpoint, clock=clock),
        fetch=network,
        clock=clock,
        monotonic_clock=clock,
    )
    guard.close()
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)
    assert len(endpoint.sent) == 1


def test_an_issuer_without_a_list_can_be_asked_about_every_token(
    endpoint: Endpoint, network: Network, clock: FakeClock, issuer: LocalIssuer
) -> None:
    guard = Guard(
        forge.ISSUER,
        audience=forge.API,
        freshness=Freshness(beyond="introspect"),
        introspection=Introspection(ENDPOINT, CLIENT, SECRET, post=endpoint, clock=clock),
        follow_revocations=False,
        fetch=network,
        clock=clock,
        monotonic_clock=clock,
    )
    assert isinstance(guard.authenticate(bearer(issuer.token())), Principal)
    assert len(endpoint.sent) == 1


def test_an_endpoint_is_reached_by_https_or_on_this_machine() -> None:
    with pytest.raises(ValueError, match="https"):
        Introspection("http://login.example.com/introspect", CLIENT, SECRET)
    with pytest.raises(ValueError, match="client_secret"):
        Introspection(ENDPOINT, CLIENT, "")
    assert SECRET not in repr(Introspection(ENDPOINT, CLIENT, SECRET))


def test_inside_testing_nobody_is_asked(guard: Guard, endpoint: Endpoint) -> None:
    always = guard.requirement(freshness=Freshness(0, "introspect"))
    with guard.testing() as local:
        assert isinstance(guard.authenticate(bearer(local.token()), always), Principal)
    assert endpoint.sent == []
