"""openid-client and oauth4webapi, unmodified and at their strictest, against a server in a process of its own.

Both check the answers themselves: issuer, audience, nonce, hashes, times, and signatures by the published keys. What
is asserted here is what they cannot know: whose key signed, that it was the same person all the way, and that the
errors are those of the standards.
"""

import json
from pathlib import Path

import pytest

from authserver.clients.public_keys import ALGORITHMS as ASSERTIONS
from authserver.protocol.dpop import ALGORITHMS as PROOFS
from tests.processes import LoginService
from tests.real_clients.conftest import RunProgram
from tests.real_clients.registered import SCOPE, SIGNED_OUT, SIGNS_PEOPLE_IN, invited, register
from tests.real_clients.rotation import rotated

BY_POST = ("--auth-method", "client_secret_post")  # what openid-client does unless it is told otherwise
FAPI = ("--auth-method", "private_key_jwt", "--require-par", "--dpop", "--no-rotate-refresh")
BODY, CHALLENGE = "ResponseBodyError", "WWWAuthenticateChallengeError"

each_library = pytest.mark.parametrize("library", ["openid_client", "oauth4webapi"])


@each_library
def test_people_sign_in_and_out_and_a_new_key_signs_in_between(
    site: LoginService, run_program: RunProgram, library: str
) -> None:
    method = BY_POST if library == "openid_client" else ()
    app = register(site, f"Shop with {library}", "--kind", "web", *method, *SIGNS_PEOPLE_IN)
    with run_program(f"{library}/journey.mjs") as shop:
        shop.hears(app.facts)
        first = shop.tells("signed in")
        assert first["person"]["sub"] == first["claims"]["sub"]
        assert "200 GET /consent" in first["pages"]
        before = shop.tells("refreshed")
        new = rotated(site)
        shop.hears({})
        after = shop.tells("refreshed with the new key")
        again = shop.tells("signed in with the new key")
        assert before["header"]["kid"] != new
        assert after["header"]["kid"] == again["header"]["kid"] == new
        assert len({told["claims"]["sub"] for told in (first, before, after, again)}) == 1
        assert shop.tells("signed out")["url"] == f"{SIGNED_OUT}?state=goodbye"
        assert shop.tells("refused") == {"error": "invalid_grant", "status": 400}
        shop.ends_well()


@each_library
def test_request_is_pushed_and_the_answer_posted(
    site: LoginService, run_program: RunProgram, library: str
) -> None:
    app = register(site, "Shop", "--kind", "web", *BY_POST, "--require-par", *SIGNS_PEOPLE_IN)
    with run_program(f"{library}/pushed.mjs") as shop:
        shop.hears(app.facts)
        assert shop.tells("signed in")["claims"]["aud"] == app.client_id
        shop.ends_well()


@each_library
def test_service_gets_looks_up_and_revokes_a_token_of_its_own(
    site: LoginService, run_program: RunProgram, library: str
) -> None:
    app = register(site, "Reports", "--kind", "service", "--scope", "orders:read")
    with run_program(f"{library}/service.mjs") as reports:
        reports.hears(app.facts)
        assert reports.tells("token")["scope"] == "orders:read"
        found = reports.tells("introspected")
        assert (found["active"], found["client_id"], found["scope"]) == (True, app.client_id, "orders:read")
        assert reports.tells("revoked") == {"active": False}
        reports.ends_well()


@each_library
def test_bank_signs_its_requests_and_binds_its_tokens(
    site: LoginService, run_program: RunProgram, tmp_path: Path, library: str
) -> None:
    with run_program(f"{library}/high_security.mjs") as bank:
        keys = tmp_path / "jwks.json"
        keys.write_text(json.dumps(bank.tells("key")["jwks"]))
        signed = ("--userinfo-alg", "RS256", "--introspection-alg", "RS256")
        app = register(site, "Bank", "--kind", "web", *FAPI, "--jwks", str(keys), *signed, *SIGNS_PEOPLE_IN)
        bank.hears(app.facts)
        first = bank.tells("signed in")
        assert first["token_type"].lower() == "dpop"
        assert bank.tells("person")["sub"] == first["claims"]["sub"]
        assert bank.tells("refreshed") == {"token_type": "dpop", "same": True}
        stolen = bank.tells("stolen")
        assert stolen["status"] == 401
        assert [each["parameters"]["error"] for each in stolen["challenge"]] == ["invalid_dpop_proof"]
        if library == "oauth4webapi":
            assert bank.tells("introspected")["cnf"]["jkt"]
        bank.ends_well()


@each_library
def test_errors_are_those_of_the_standards(site: LoginService, run_program: RunProgram, library: str) -> None:
    app = register(site, "Shop", "--kind", "web", *SIGNS_PEOPLE_IN)
    with run_program(f"{library}/refused.mjs") as shop:
        shop.hears(app.facts)
        silent = shop.tells("nobody is signed in")
        assert silent == {"kind": "AuthorizationResponseError", "error": "login_required"}
        assert shop.tells("code") == {"kind": BODY, "error": "invalid_grant", "status": 400}
        stranger = shop.tells("secret")
        assert (stranger["kind"], stranger["status"]) == (CHALLENGE, 401)
        assert [each["scheme"] for each in stranger["challenge"]] == ["basic"]
        token = shop.tells("token")
        assert (token["kind"], token["status"]) == (CHALLENGE, 401)
        assert {each["parameters"]["error"] for each in token["challenge"]} == {"invalid_token"}
        shop.ends_well()


@each_library
def test_device_is_allowed_in_a_browser(site: LoginService, run_program: RunProgram, library: str) -> None:
    app = register(site, "TV", "--kind", "device", "--scope", SCOPE)
    with run_program(f"{library}/device.mjs") as tv:
        tv.hears(app.facts)
        assert tv.tells("signed in")["claims"]["aud"] == app.client_id
        tv.ends_well()


@each_library
def test_invited_app_registers_itself(site: LoginService, run_program: RunProgram, library: str) -> None:
    with run_program(f"{library}/invited.mjs") as shop:
        shop.hears(invited(site))
        told = shop.tells("signed in")
        assert told["claims"]["aud"] == told["client_id"]
        shop.ends_well()


def test_each_algorithm_that_discovery_offers_to_a_client_is_taken(
    site: LoginService, run_program: RunProgram, tmp_path: Path
) -> None:
    with run_program("oauth4webapi/algorithms.mjs") as service:
        service.hears({"issuer": site.origin})
        keys = tmp_path / "jwks.json"
        keys.write_text(json.dumps(service.tells("keys")["jwks"]))
        by_key = ("--auth-method", "private_key_jwt", "--jwks", str(keys))
        app = register(site, "Signer", "--kind", "service", *by_key, "--scope", "orders:read")
        service.hears(app.facts)
        tokens = service.tells("tokens")["tokens"]
        assert {assertion for assertion, _, kind in tokens if kind == "bearer"} == {*ASSERTIONS} - {"EdDSA"}
        assert {proof for _, proof, kind in tokens if kind == "dpop"} == {*PROOFS} - {"EdDSA"}
        service.ends_well()
