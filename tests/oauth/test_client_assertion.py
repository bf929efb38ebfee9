"""A client that proves itself by a JWT (RFC 7523 and its revision, OIDC Core §9, FAPI 2.0 §5.3.2.1): refusals by cause."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey, RSAKey
from structlog.testing import capture_logs

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.opaque import new_id
from authserver.protocol.oauth import ASSERTION_TYPE
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, MakeServer
from tests.oauth.conftest import App, MakeApp
from tests.oauth.reading import error
from tests.resource import forge
from tests.signing_keys import load_ec_keys, load_rsa_keys
from tests.visitor import Visitor

KEY, OTHER_KEY = load_ec_keys()[:2]
RSA_KEY = load_rsa_keys()[0]
TOKEN, PAR = f"{ISSUER}/oauth2/token", f"{ISSUER}/oauth2/par"
BANK = "bank-batch"

Sign = Callable[..., str]


def public(key: ECKey | RSAKey, **members: Any) -> dict[str, Any]:
    jwk = {**key.as_dict(private=False), **members}
    return {name: value for name, value in jwk.items() if value is not None}


@pytest.fixture
def make_bank(make_app: MakeApp) -> Callable[..., App]:
    def make(*keys: dict[str, Any], **chosen: Any) -> App:
        usual = {
            "client_id": BANK,
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": list(keys) or [public(KEY)]},
        }
        return make_app(**{**usual, **chosen})

    return make


@pytest.fixture
def bank(make_bank: Callable[..., App]) -> App:
    return make_bank()


@pytest.fixture
def sign(clock: HandClock) -> Sign:
    """An assertion with parts replaced; a claim given as None is left out. Times relative to now."""

    def make(
        head: dict[str, Any] | None = None,
        key: ECKey | RSAKey = KEY,
        alg: str | None = None,
        exp: float | None = 60,
        iat: float | None = 0,
        nbf: float | None = None,
        **claims: Any,
    ) -> str:
        now = int(clock.now().timestamp())
        times = {"exp": exp, "iat": iat, "nbf": nbf}
        usual: dict[str, Any] = {"iss": BANK, "sub": BANK, "aud": ISSUER, "jti": new_id()}
        usual |= {name: None if each is None else now + each for name, each in times.items()}
        body = {name: value for name, value in (usual | claims).items() if value is not None}
        header = {"alg": key.alg, "kid": key.kid, **(head or {})}
        return forge.sign(
            {name: value for name, value in header.items() if value is not None}, body, key, alg=alg
        )

    return make


def ask(visitor: Visitor, assertion: str | None, **fields: str | None) -> httpx2.Response:
    """Ask for a token of the client's own, with this assertion."""
    usual = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    data = {name: text for name, text in {**usual, **fields}.items() if text is not None}
    return visitor.post("/oauth2/token", data=data)


def test_client_proves_itself_by_an_assertion(bank: App, visitor: Visitor, sign: Sign) -> None:
    assert ask(visitor, sign()).status_code == 200
    assert ask(visitor, sign(), client_id=BANK).status_code == 200


@pytest.mark.parametrize(
    "parts",
    [
        {"head": {"typ": "JWT"}},
        {"head": {"typ": "client-authentication+jwt"}},
        {"head": {"kid": None}},
        {"exp": 300},
        {"exp": -30},
        {"iat": None},
        {"iat": 10},
        {"nbf": 8},
        {"nbf": -3_600},
    ],
    ids=str,
)
def test_what_careful_clients_send_is_accepted(
    bank: App, visitor: Visitor, sign: Sign, parts: dict[str, Any]
) -> None:
    answer = ask(visitor, sign(**parts))
    assert answer.status_code == 200, answer.text


WRONG: dict[str, dict[str, Any]] = {
    "fapi2 aud of another server": {"aud": "https://login.example.org"},
    "fapi2 aud is the token endpoint": {"aud": TOKEN},
    "fapi2 aud is the PAR endpoint": {"aud": PAR},
    "fapi2 aud is an array": {"aud": [ISSUER]},
    "fapi2 aud is an array with others": {"aud": [ISSUER, TOKEN]},
    "j21 aud missing": {"aud": None},
    "j21 aud with slash": {"aud": f"{ISSUER}/"},
    "j21 aud in other case": {"aud": ISSUER.upper()},
    "j21 aud is a number": {"aud": 7},
    "j21 aud is an empty array": {"aud": []},
    "fapi2 exp five minutes past": {"exp": -300},
    "j23 exp just past the skew": {"exp": -60},
    "exp missing": {"exp": None},
    "exp too far ahead": {"exp": 361},
    "exp in a thousand years": {"exp": 3e10},
    "fapi2 nbf a minute ahead": {"nbf": 60},
    "j23 iat a minute ahead": {"iat": 60},
    "iat too long ago": {"iat": -361},
    "fapi2 sub missing": {"sub": None},
    "sub of another client": {"sub": "orders-web"},
    "iss missing": {"iss": None},
    "iss of another client": {"iss": "orders-web"},
    "o52 sub in other case": {"sub": BANK.upper(), "iss": BANK.upper()},
    "sub is a list": {"sub": [BANK], "iss": [BANK]},
    "jti missing": {"jti": None},
    "jti empty": {"jti": ""},
    "jti too long": {"jti": "x" * 257},
    "jti is a number": {"jti": 7},
    "j01 alg none": {"head": {"alg": "none"}, "alg": "ES256"},
    "j03 alg symmetric": {"head": {"alg": "HS256"}, "alg": "ES256"},
    "fapi2 alg is not the key's": {"head": {"alg": "RS256"}, "alg": "ES256"},
    "alg not offered": {"head": {"alg": "ES512"}, "alg": "ES256"},
    "another key under the name of the client's": {"head": {"kid": KEY.kid}, "key": OTHER_KEY},
    "j09 kid unknown": {"head": {"kid": "elsewhere"}},
    "j09 kid is a path": {"head": {"kid": "../../etc/passwd"}},
    "j10 key in the header": {"head": {"kid": None, "jwk": public(OTHER_KEY)}, "key": OTHER_KEY},
    "j11 address of keys in the header": {"head": {"jku": "https://evil.example/jwks"}},
    "j15 crit": {"head": {"crit": ["exp"]}},
    "j18 typ of an access token": {"head": {"typ": "at+jwt"}},
    "j18 typ of a proof": {"head": {"typ": "dpop+jwt"}},
    "j18 typ of a request object": {"head": {"typ": "oauth-authz-req+jwt"}},
    "j18 typ of a logout token": {"head": {"typ": "logout+jwt"}},
}


def test_wrong_assertion_is_refused_whatever_is_wrong_with_it(
    bank: App, visitor: Visitor, sign: Sign
) -> None:
    answers = {cause: error(ask(visitor, sign(**parts)), 401) for cause, parts in WRONG.items()}
    assert answers == dict.fromkeys(WRONG, "invalid_client")


def test_every_refusal_is_in_the_same_words_and_the_reason_in_our_log(
    bank: App, visitor: Visitor, sign: Sign
) -> None:
    with capture_logs() as lines:
        answers = {ask(visitor, sign(**parts)).text for parts in WRONG.values()}
        answers.add(ask(visitor, sign(iss="nobody", sub="nobody")).text)
    assert len(answers) == 1
    assert "aud is not our issuer alone" in {line["reason"] for line in lines}
    assert "eyJ" not in str(lines)


@pytest.mark.parametrize(
    "text", ["", "x", "a.b.c", "..", "e30.e30.AA", "\0", "é", "x" * 10_000, '{"payload":""}'], ids=repr
)
def test_what_is_no_assertion_is_refused(bank: App, visitor: Visitor, text: str) -> None:
    answer = ask(visitor, text)
    assert (answer.status_code, answer.json()["error"]) in {(401, "invalid_client"), (400, "invalid_request")}


def test_j31_nesting_bomb_that_the_client_signed_itself_is_refused(bank: App, visitor: Visitor) -> None:
    body = b'{"sub":"bank-batch","x":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
    bomb = forge.sign({"alg": "ES256", "kid": KEY.kid}, body, KEY)
    assert error(ask(visitor, bomb), 401) == "invalid_client"


def test_j38_assertion_is_good_once_at_any_endpoint_and_server(
    bank: App,
    visitor: Visitor,
    sign: Sign,
    make_server: MakeServer,
    make_visitor: Callable[..., Visitor],
) -> None:
    once = sign()
    assert ask(visitor, once).status_code == 200
    assert error(ask(visitor, once), 401) == "invalid_client"
    assert error(ask(make_visitor(make_server()), once), 401) == "invalid_client"
    data = {"token": "x", "client_assertion_type": ASSERTION_TYPE, "client_assertion": once}
    for path in ("/oauth2/introspect", "/oauth2/revoke", "/oauth2/par"):
        assert error(visitor.post(path, data=data), 401) == "invalid_client"


def test_j38_request_that_was_refused_has_used_up_its_assertion(
    bank: App, visitor: Visitor, sign: Sign
) -> None:
    once = sign()
    assert error(ask(visitor, once, grant_type="authorization_code", code="x")) == "invalid_grant"
    assert error(ask(visitor, once), 401) == "invalid_client"


def test_stranger_cannot_use_up_the_assertions_of_a_client(bank: App, visitor: Visitor, sign: Sign) -> None:
    assert error(ask(visitor, sign(jti="one", head={"kid": KEY.kid}, key=OTHER_KEY)), 401) == "invalid_client"
    assert ask(visitor, sign(jti="one")).status_code == 200


def test_jti_is_remembered_until_the_assertion_is_too_old(
    server: Server, bank: App, visitor: Visitor, sign: Sign, clock: HandClock
) -> None:
    once = sign(exp=300)
    assert ask(visitor, once).status_code == 200
    clock.advance(timedelta(seconds=359))
    server.capabilities.maintenance.run()
    assert error(ask(visitor, once), 401) == "invalid_client"
    clock.advance(timedelta(seconds=120))
    assert server.capabilities.maintenance.run().purged["replays"] == 1
    assert error(ask(visitor, once), 401) == "invalid_client"


@pytest.mark.parametrize("path", ["/oauth2/introspect", "/oauth2/revoke", "/oauth2/par"])
def test_every_endpoint_takes_assertions_for_the_issuer(
    bank: App, visitor: Visitor, sign: Sign, path: str
) -> None:
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": sign()}
    answer = visitor.post(path, data={**bank.request(), "token": "x", **assertion})
    assert answer.status_code in (200, 201), answer.text


def test_pushed_request_keeps_no_assertion(
    server: Server, bank: App, visitor: Visitor, sign: Sign, alice: Account
) -> None:
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": sign()}
    pushed = visitor.post("/oauth2/par", data={**bank.request(), **assertion}).json()
    visitor.sign_in("alice", PASSWORD)
    kept = server.capabilities.database.read(
        lambda db: db.exec_driver_sql("SELECT parameters FROM authorization_request").scalars().all()
    )
    assert pushed["request_uri"]
    assert "client_assertion" not in json.dumps(kept)


def test_older_client_may_name_the_token_endpoint_if_its_operator_said_so(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign
) -> None:
    make_bank(assertion_for_token_endpoint=True)
    for audience in (TOKEN, [TOKEN], ISSUER, [ISSUER]):
        assert ask(visitor, sign(aud=audience)).status_code == 200
    for audience in (PAR, [TOKEN, ISSUER], [], f"{TOKEN}/"):
        assert error(ask(visitor, sign(aud=audience)), 401) == "invalid_client"


def test_registered_algorithm_is_the_only_one(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign
) -> None:
    """FAPI 2.0: RS256 by a key that is registered for PS256."""
    make_bank(public(RSA_KEY, alg=None), token_endpoint_auth_signing_alg="PS256")
    assert error(ask(visitor, sign(key=RSA_KEY)), 401) == "invalid_client"
    assert ask(visitor, sign(key=RSA_KEY, head={"alg": "PS256"}, alg="PS256")).status_code == 200


def test_registered_algorithm_rules_out_the_clients_other_keys(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign
) -> None:
    make_bank(public(KEY), public(RSA_KEY), token_endpoint_auth_signing_alg="ES256")
    assert error(ask(visitor, sign(key=RSA_KEY)), 401) == "invalid_client"
    assert ask(visitor, sign()).status_code == 200


def test_j05_key_has_one_algorithm_even_where_none_is_registered(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign
) -> None:
    make_bank(public(RSA_KEY))
    assert ask(visitor, sign(key=RSA_KEY)).status_code == 200
    assert error(ask(visitor, sign(key=RSA_KEY, head={"alg": "PS256"}, alg="PS256")), 401) == "invalid_client"


def test_assertion_without_kid_needs_a_client_with_one_key_for_it(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign
) -> None:
    make_bank(public(KEY), public(RSA_KEY))
    assert ask(visitor, sign(head={"kid": None})).status_code == 200
    make_bank(public(KEY), public(OTHER_KEY), client_id="two-keys")
    two = {"iss": "two-keys", "sub": "two-keys"}
    assert error(ask(visitor, sign(head={"kid": None}, **two)), 401) == "invalid_client"
    assert ask(visitor, sign(**two)).status_code == 200


def test_client_whose_keys_would_have_to_be_fetched_is_refused(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign
) -> None:
    make_bank(jwks=None, jwks_uri="https://bank.example/jwks.json")
    with capture_logs() as lines:
        assert error(ask(visitor, sign()), 401) == "invalid_client"
    assert "jwks_uri, which is not fetched" in lines[-1]["reason"]


def test_disabled_client_is_refused(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign, clock: HandClock
) -> None:
    make_bank(disabled_at=clock.now())
    assert error(ask(visitor, sign()), 401) == "invalid_client"


def test_o50_client_uses_the_method_that_it_registered(
    app: App, bank: App, visitor: Visitor, sign: Sign
) -> None:
    wrong = sign(iss=app.client.client_id, sub=app.client.client_id)
    assert error(ask(visitor, wrong), 401) == "invalid_client"
    by_name = ask(visitor, None, client_assertion_type=None, client_id=BANK)
    assert error(by_name, 401) == "invalid_client"
    by_secret = ask(visitor, None, client_assertion_type=None, client_id=BANK, client_secret="x")
    assert error(by_secret, 401) == "invalid_client"


def test_o50_genuine_assertion_of_a_client_that_registered_a_secret_is_refused(
    make_bank: Callable[..., App], visitor: Visitor, sign: Sign
) -> None:
    """It may have keys for something else."""
    make_bank(token_endpoint_auth_method="client_secret_basic")
    assert error(ask(visitor, sign()), 401) == "invalid_client"


def test_o50_two_ways_at_once_are_refused(app: App, bank: App, visitor: Visitor, sign: Sign) -> None:
    assert error(ask(visitor, sign(), client_secret="x")) == "invalid_request"
    data = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign(),
    }
    assert error(visitor.post("/oauth2/token", data=data, auth=app.auth)) == "invalid_request"


def test_half_an_assertion_is_refused(bank: App, visitor: Visitor, sign: Sign) -> None:
    assert error(ask(visitor, sign(), client_assertion_type=None)) == "invalid_request"
    assert error(ask(visitor, None)) == "invalid_request"
    saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    assert error(ask(visitor, sign(), client_assertion_type=saml), 401) == "invalid_client"


def test_o52_client_id_beside_an_assertion_is_the_same(bank: App, visitor: Visitor, sign: Sign) -> None:
    for other in ("orders-web", BANK.upper(), "bank‐batch"):
        assert error(ask(visitor, sign(), client_id=other), 401) == "invalid_client"


def test_discovery_says_so(visitor: Visitor) -> None:
    told = visitor.get("/.well-known/openid-configuration").json()
    assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
    algorithms = told["token_endpoint_auth_signing_alg_values_supported"]
    assert set(algorithms) == {"RS256", "PS256", "ES256", "Ed25519", "EdDSA"}
