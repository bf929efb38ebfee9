"""Proof of possession at our own endpoints (RFC 9449): J50–J59 and the proof checks of FAPI 2.0, one row each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, MakeServer
from tests.oauth.conftest import CALLBACK, VERIFIER, App, MakeApp, returned
from tests.oauth.reading import claims, error
from tests.resource import forge, prover
from tests.resource.spoiled_proofs import SPOILED, TOKEN
from tests.visitor import Visitor

PAR = f"{ISSUER}/oauth2/par"

Ask = Callable[..., httpx2.Response]


@pytest.fixture
def ask(app: App, visitor: Visitor) -> Ask:
    """Ask for a token of the client's own, with these values of the header `DPoP`."""

    def send(*proofs: str, client: App = app, visitor: Visitor = visitor) -> httpx2.Response:
        return visitor.post(
            "/oauth2/token",
            data={"grant_type": "client_credentials", "scope": "orders:read"},
            auth=client.auth,
            headers=[("DPoP", proof) for proof in proofs],
        )

    return send


@pytest.fixture
def prove(clock: HandClock) -> Callable[..., str]:
    """Make a proof for the token endpoint, with parts of it replaced."""

    def make(uri: str = TOKEN, method: str = "POST", **parts: Any) -> str:
        return prover.proof(method, uri, clock.now().timestamp(), **parts)

    return make


Prove = Callable[..., str]


def test_token_is_bound_to_the_key_that_was_proved(server: Server, ask: Ask, prove: Prove) -> None:
    answer = ask(prove())
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "DPoP"
    assert claims(server, answer.json()["access_token"])["cnf"] == {"jkt": prover.jkt()}


def test_without_a_proof_it_is_a_bearer_token_as_before(server: Server, ask: Ask) -> None:
    answer = ask()
    assert answer.json()["token_type"] == "Bearer"
    assert "cnf" not in claims(server, answer.json()["access_token"])


def test_rsa_keys_prove_by_both_of_their_algorithms(ask: Ask, prove: Prove) -> None:
    for alg in ("RS256", "PS256"):
        assert ask(prove(key=prover.RSA_KEY, head={"alg": alg}, alg=alg)).status_code == 200


def test_j54_other_spellings_of_the_address_are_the_address(ask: Ask, prove: Prove) -> None:
    for uri in (
        "https://LOGIN.Example.COM/oauth2/token",
        "HTTPS://login.example.com/oauth2/token",
        "https://login.example.com:443/oauth2/token",
        "https://login.example.com/oauth2/token?x=1",
        "https://login.example.com/oauth2/token#top",
        "https://login.example.com/%6Fauth2/token",
    ):
        assert ask(prove(uri)).status_code == 200


def test_bad_proof_is_refused_whatever_is_wrong_with_it(ask: Ask, prove: Prove) -> None:
    answers = {cause: error(ask(prove(**parts))) for cause, parts in SPOILED.items()}
    assert answers == dict.fromkeys(SPOILED, "invalid_dpop_proof")


def test_j56_proof_lives_a_minute_and_clocks_may_differ_a_little(
    ask: Ask, prove: Prove, clock: HandClock
) -> None:
    now = int(clock.now().timestamp())
    for age in (3_600, 61, -11, -3_600):
        assert error(ask(prove(iat=now - age))) == "invalid_dpop_proof"
    for age in (59, 10, -10):
        assert ask(prove(iat=now - age)).status_code == 200


def test_j50_two_headers_are_refused_and_its_name_has_no_case(app: App, ask: Ask, prove: Prove) -> None:
    assert error(ask(prove(), prove())) == "invalid_dpop_proof"
    assert error(ask(f"{prove()}, {prove()}")) == "invalid_dpop_proof"
    assert ask(prove()).status_code == 200


def test_j50_what_is_no_proof_is_refused(ask: Ask) -> None:
    for text in ("", "x", "a.b.c", "..", "eyJ9.e30.AA", "x" * 20_000):
        assert error(ask(text)) == "invalid_dpop_proof"


def test_j31_nesting_bomb_that_the_client_signed_itself_is_refused(prove: Prove, ask: Ask) -> None:
    for depth in (1_000, 5_000):
        body = b'{"jti":' + b"[" * depth + b"]" * depth + b"}"
        assert error(ask(forge.sign(prover.header(), body, prover.KEY))) == "invalid_dpop_proof"


def test_j07_changed_signature_is_refused(ask: Ask, prove: Prove) -> None:
    signed = prove()
    head, body, signature = signed.split(".")
    changed = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert error(ask(f"{head}.{body}.{changed}")) == "invalid_dpop_proof"
    assert error(ask(f"{head}.{body}.")) == "invalid_dpop_proof"


def test_j57_proof_is_good_once(ask: Ask, prove: Prove) -> None:
    once = prove()
    assert ask(once).status_code == 200
    assert error(ask(once)) == "invalid_dpop_proof"


def test_j57_proof_is_not_good_again_at_another_server_nor_after_a_restart(
    make_server: MakeServer, make_visitor: Callable[..., Visitor], ask: Ask, prove: Prove
) -> None:
    once = prove()
    assert ask(once).status_code == 200
    assert error(ask(once, visitor=make_visitor(make_server()))) == "invalid_dpop_proof"


def test_j57_refused_request_has_used_up_its_proof(app: App, visitor: Visitor, prove: Prove) -> None:
    headers = {"DPoP": prove()}
    for expected in ("invalid_grant", "invalid_dpop_proof"):
        answer = visitor.post(
            "/oauth2/token",
            data={"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK},
            auth=app.auth,
            headers=headers,
        )
        assert error(answer) == expected


def test_stranger_cannot_use_up_the_proofs_of_others(
    make_app: MakeApp, app: App, ask: Ask, prove: Prove
) -> None:
    """The same `jti` with another key is another proof."""
    assert ask(prove(jti="same")).status_code == 200
    assert ask(prove(jti="same", key=prover.OTHER_KEY)).status_code == 200


def test_client_that_said_it_always_proves_has_to(make_app: MakeApp, ask: Ask, prove: Prove) -> None:
    bound = make_app(client_id="bank", dpop_bound_access_tokens=True)
    assert error(ask(client=bound)) == "invalid_request"
    assert ask(prove(), client=bound).status_code == 200


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in("alice", PASSWORD)
    return visitor


def exchange(app: App, visitor: Visitor, code: str, proof: str | None = None) -> httpx2.Response:
    return token(
        app,
        visitor,
        proof,
        grant_type="authorization_code",
        code=code,
        redirect_uri=CALLBACK,
        code_verifier=VERIFIER,
    )


def refresh(app: App, visitor: Visitor, refresh_token: str, proof: str | None = None) -> httpx2.Response:
    return token(app, visitor, proof, grant_type="refresh_token", refresh_token=refresh_token)


def token(app: App, visitor: Visitor, proof: str | None, **fields: str) -> httpx2.Response:
    data = fields if app.secret else {**fields, "client_id": app.client.client_id}
    headers = {} if proof is None else {"DPoP": proof}
    return visitor.post("/oauth2/token", data=data, auth=app.auth, headers=headers)


def test_code_that_names_a_key_wants_that_key(app: App, signed_in: Visitor, prove: Prove) -> None:
    code = app.code(signed_in, dpop_jkt=prover.jkt())
    assert error(exchange(app, signed_in, code)) == "invalid_grant"
    assert error(exchange(app, signed_in, code, prove(key=prover.OTHER_KEY))) == "invalid_grant"
    assert exchange(app, signed_in, code, prove()).json()["token_type"] == "DPoP"


def test_pushed_request_names_the_key_that_it_was_pushed_with(
    app: App, signed_in: Visitor, prove: Prove
) -> None:
    pushed = push(app, signed_in, prove(PAR))
    assert pushed.status_code == 201, pushed.text
    query = {"client_id": app.client.client_id, "request_uri": pushed.json()["request_uri"]}
    code = returned(signed_in.get("/oauth2/authorize", params=query))["code"]
    assert error(exchange(app, signed_in, code, prove(key=prover.OTHER_KEY))) == "invalid_grant"
    assert exchange(app, signed_in, code, prove()).status_code == 200


def push(app: App, visitor: Visitor, proof: str, **more: str) -> httpx2.Response:
    return visitor.post("/oauth2/par", data=app.request(**more), auth=app.auth, headers={"DPoP": proof})


def test_pushed_request_cannot_name_one_key_and_prove_another(
    app: App, signed_in: Visitor, prove: Prove
) -> None:
    other = prover.jkt(prover.OTHER_KEY)
    assert error(push(app, signed_in, prove(PAR), dpop_jkt=other)) == "invalid_dpop_proof"
    assert push(app, signed_in, prove(PAR), dpop_jkt=prover.jkt()).status_code == 201


def test_j57_proof_for_a_pushed_request_is_good_once_and_nowhere_else(
    app: App, signed_in: Visitor, ask: Ask, prove: Prove
) -> None:
    once = prove(PAR)
    assert error(ask(once)) == "invalid_dpop_proof"
    assert push(app, signed_in, once).status_code == 201
    assert error(push(app, signed_in, once)) == "invalid_dpop_proof"


def test_refresh_token_of_a_public_client_is_worth_nothing_without_its_key(
    public_app: App, signed_in: Visitor, prove: Prove
) -> None:
    first = exchange(public_app, signed_in, public_app.code(signed_in), prove()).json()["refresh_token"]
    assert error(refresh(public_app, signed_in, first)) == "invalid_grant"
    assert error(refresh(public_app, signed_in, first, prove(key=prover.OTHER_KEY))) == "invalid_grant"
    answer = refresh(public_app, signed_in, first, prove())
    assert answer.json()["token_type"] == "DPoP", answer.text
    second = answer.json()["refresh_token"]
    assert error(refresh(public_app, signed_in, second)) == "invalid_grant"
    assert refresh(public_app, signed_in, second, prove()).status_code == 200


def test_public_client_that_begins_to_prove_is_bound_from_then_on(
    public_app: App, signed_in: Visitor, prove: Prove
) -> None:
    first = exchange(public_app, signed_in, public_app.code(signed_in)).json()["refresh_token"]
    second = refresh(public_app, signed_in, first, prove()).json()["refresh_token"]
    assert error(refresh(public_app, signed_in, second)) == "invalid_grant"


def test_confidential_client_may_change_its_key(
    server: Server, app: App, signed_in: Visitor, prove: Prove
) -> None:
    """It proves itself by its secret; the key binds the access tokens alone (RFC 9449 §5)."""
    code = app.code(signed_in, dpop_jkt=prover.jkt())
    first = exchange(app, signed_in, code, prove()).json()["refresh_token"]
    answer = refresh(app, signed_in, first, prove(key=prover.OTHER_KEY))
    assert claims(server, answer.json()["access_token"])["cnf"] == {"jkt": prover.jkt(prover.OTHER_KEY)}


def test_bound_token_can_be_introspected_and_revoked_without_its_key(
    server: Server, app: App, signed_in: Visitor, prove: Prove
) -> None:
    bound = exchange(app, signed_in, app.code(signed_in), prove()).json()["access_token"]
    told = signed_in.post("/oauth2/introspect", data={"token": bound}, auth=app.auth).json()
    assert (told["active"], told["token_type"], told["cnf"]) == (True, "DPoP", {"jkt": prover.jkt()})
    signed_in.post("/oauth2/revoke", data={"token": bound}, auth=app.auth)
    server.follow()
    told = signed_in.post("/oauth2/introspect", data={"token": bound}, auth=app.auth).json()
    assert told == {"active": False}


def test_used_proofs_are_forgotten_when_they_are_too_old_to_be_accepted(
    server: Server, ask: Ask, prove: Prove, clock: HandClock
) -> None:
    once = prove()
    assert ask(once).status_code == 200
    clock.advance(timedelta(seconds=119))
    assert server.capabilities.maintenance.run().purged["replays"] == 0
    clock.advance(timedelta(seconds=2))
    assert server.capabilities.maintenance.run().purged["replays"] == 1
    assert error(ask(once)) == "invalid_dpop_proof"


def test_discovery_says_how_proofs_may_be_signed(visitor: Visitor) -> None:
    told = visitor.get("/.well-known/oauth-authorization-server").json()
    assert told["dpop_signing_alg_values_supported"] == ["ES256", "RS256", "PS256", "Ed25519", "EdDSA"]
