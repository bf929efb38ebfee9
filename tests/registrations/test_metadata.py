"""What holds together as a registration, and what does not (RFC 7591, OpenID Connect Registration, OAuth 2.1)."""

import json
from datetime import timedelta
from typing import Any

import pytest

from authserver.clients.metadata import DEFAULT_SCOPE, Limits, Problem, own_words, read, words
from authserver.clients.registration import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    Registration,
)
from tests.registrations.conftest import CALLBACK
from tests.registrations.test_redirect_uris import OTHER_ADDRESSES
from tests.signing_keys import ec_key_pairs, rsa_key_pairs

LIMITS = Limits(frozenset({"RS256", "ES256", "Ed25519"}), timedelta(hours=1))
WEB = {"client_name": "Shop", "redirect_uris": [CALLBACK]}
SERVICE = {"client_name": "Reports", "grant_types": [CLIENT_CREDENTIALS]}
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi")
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def public(pair: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in pair.items() if member not in PRIVATE_MEMBERS}


RSA = public(rsa_key_pairs()[0])
EC = public(ec_key_pairs()[0])


def accepted(said: dict[str, Any], **ours: Any) -> Registration:
    found = read(said, ours, limits=LIMITS)
    assert isinstance(found, Registration), found
    return found


def problems(said: dict[str, Any], **ours: Any) -> list[Problem]:
    found = read(said, ours, limits=LIMITS)
    assert isinstance(found, list), found
    assert all(problem.message.isprintable() for problem in found)
    return found


def fields(said: dict[str, Any], **ours: Any) -> set[str]:
    return {problem.field for problem in problems(said, **ours)}


def test_least_that_can_be_said_gives_the_defaults_of_the_standards() -> None:
    made = accepted({"redirect_uris": [CALLBACK]})
    assert made.client_name == "app.example"
    assert (made.application_type, made.grant_types) == ("web", (AUTHORIZATION_CODE,))
    assert (made.token_endpoint_auth_method, made.id_token_signed_response_alg) == (
        "client_secret_basic",
        "RS256",
    )
    assert (made.subject_type, made.scope) == ("public", DEFAULT_SCOPE)
    assert made.require_pkce
    assert made.rotate_refresh_tokens
    assert not made.first_party


def test_stranger_cannot_say_what_is_the_operators_to_say() -> None:
    theirs = {"first_party": True, "require_pkce": False, "access_token_lifetime": 86_400, "audiences": ["x"]}
    assert accepted({**WEB, **theirs}) == accepted(WEB)


def test_words_nobody_knows_are_ignored_and_null_is_left_out() -> None:
    more = {"software_id": "x", "client_name#ko": "가게", "request_uris": [1], "jwks": None, "scope": None}
    assert accepted({**WEB, **more}) == accepted(WEB)


def test_what_was_read_says_itself_again_word_for_word() -> None:
    said = {
        **WEB,
        "grant_types": [AUTHORIZATION_CODE, REFRESH_TOKEN],
        "jwks": {"keys": [RSA]},
        "token_endpoint_auth_method": "private_key_jwt",
        "default_max_age": 0,
        "contacts": ["ops@app.example"],
    }
    ours = {"audiences": ["https://api.example"], "first_party": True, "access_token_lifetime": 300}
    made = accepted(said, **ours)
    again = json.loads(json.dumps({"said": words(made), "ours": own_words(made)}))
    assert accepted(again["said"], **again["ours"]) == made
    assert words(made)["response_types"] == ["code"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_name", ""),
        ("client_name", "   "),
        ("client_name", "x" * 256),
        ("client_name", "two\nlines"),
        ("client_name", "a\u202eb"),
        ("client_name", "zero\u200bwidth"),
        ("client_name", "esc\x1b[2J"),
        ("client_name", "\udcff"),
        ("client_name", 7),
        ("application_type", "desktop"),
        ("application_type", ["web"]),
        ("redirect_uris", CALLBACK),
        ("redirect_uris", [7]),
        ("redirect_uris", {"a": 1}),
        ("redirect_uris", [f"{CALLBACK}{number}" for number in range(51)]),
        ("grant_types", ["password"]),
        ("grant_types", ["implicit"]),
        ("grant_types", "authorization_code"),
        ("grant_types", [["authorization_code"]]),
        ("response_types", ["token"]),
        ("response_types", ["code id_token"]),
        ("response_types", ["none"]),
        ("scope", ["openid"]),
        ("scope", 'openid "x"'),
        ("scope", "open\\id"),
        ("scope", "openid  profile"),
        ("scope", " openid"),
        ("scope", "openid\tprofile"),
        ("scope", "öffnen"),
        ("scope", "x" * 2_001),
        ("token_endpoint_auth_method", "client_secret_jwt"),
        ("token_endpoint_auth_method", "tls_client_auth"),
        ("token_endpoint_auth_signing_alg", "HS256"),
        ("token_endpoint_auth_signing_alg", "none"),
        ("id_token_signed_response_alg", "none"),
        ("id_token_signed_response_alg", "HS256"),
        ("id_token_signed_response_alg", "RS512"),
        ("userinfo_signed_response_alg", "none"),
        ("subject_type", "hashed"),
        ("default_max_age", -1),
        ("default_max_age", True),
        ("default_max_age", "60"),
        ("default_max_age", 1.5),
        ("default_max_age", 10**12),
        ("require_auth_time", "true"),
        ("require_auth_time", 1),
        ("backchannel_logout_uri", "http://app.example/out"),
        ("backchannel_logout_uri", "https://app.example/out#f"),
        ("backchannel_logout_uri", "ftp://app.example/out"),
        ("backchannel_logout_uri", "com.example.app:/out"),
        ("backchannel_logout_uri", "https://user@app.example/out"),
        ("backchannel_logout_uri", 7),
        ("frontchannel_logout_uri", "http://app.example/out"),
        ("initiate_login_uri", "javascript:alert(1)"),
        ("logo_uri", "data:image/svg+xml,<svg onload=alert(1)>"),
        ("logo_uri", "javascript:alert(1)"),
        ("client_uri", "http://app.example"),
        ("policy_uri", "/policy"),
        ("tos_uri", ""),
        ("jwks_uri", "http://app.example/jwks"),
        ("jwks_uri", "file:///etc/passwd"),
        ("contacts", "ops@app.example"),
        ("contacts", ["x" * 256]),
        ("contacts", ["a\nb"]),
    ],
)
def test_field_that_is_wrong_by_itself_is_named(field: str, value: Any) -> None:
    assert fields({**WEB, field: value}) == {field}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("audiences", ["two words"]),
        ("audiences", ["https://api.example/#f"]),
        ("audiences", ["/orders"]),
        ("audiences", ["a\u0000b"]),
        ("audiences", [""]),
        ("audiences", "orders"),
        ("access_token_lifetime", 0),
        ("access_token_lifetime", 3_601),
        ("id_token_lifetime", 3_601),
        ("refresh_token_lifetime", "30d"),
        ("first_party", "yes"),
    ],
)
def test_field_of_ours_that_is_wrong_is_named(field: str, value: Any) -> None:
    assert fields(WEB, **{field: value}) == {field}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert fields({"client_name": "", "scope": '"', "default_max_age": -1}) >= {
        "client_name",
        "scope",
        "default_max_age",
    }


@pytest.mark.parametrize("uri", OTHER_ADDRESSES)
def test_hostile_redirect_uri_is_refused_in_words_fit_for_a_log(uri: str) -> None:
    found = read({**WEB, "redirect_uris": [uri]}, limits=LIMITS)
    if isinstance(found, list):
        assert [problem.field for problem in found] == ["redirect_uris"]
        assert found[0].message.isprintable()
        assert len(found[0].message) < 1_500
    else:
        assert found.redirect_uris == (uri,)


def test_name_is_composed_so_that_equal_names_are_equal() -> None:
    assert accepted({**WEB, "client_name": " 가게 "}).client_name == "가게"
    assert accepted({**WEB, "client_name": "가"}).client_name == "가"


def test_html_in_a_name_is_only_text() -> None:
    assert accepted({**WEB, "client_name": "<b>Shop</b>"}).client_name == "<b>Shop</b>"


def test_name_is_needed_where_no_address_can_stand_for_it() -> None:
    assert fields({"grant_types": [CLIENT_CREDENTIALS]}) == {"client_name"}


def test_client_that_signs_people_in_needs_a_redirect_uri() -> None:
    assert fields({"client_name": "Shop"}) == {"redirect_uris"}
    assert fields({"client_name": "Shop", "redirect_uris": []}) == {"redirect_uris"}


@pytest.mark.parametrize("grant", [CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE])
def test_client_that_sends_nobody_anywhere_has_no_redirect_uri(grant: str) -> None:
    assert fields({**WEB, "grant_types": [grant]}) == {"redirect_uris"}


@pytest.mark.parametrize("field", ["redirect_uris", "post_logout_redirect_uris"])
def test_redirects_after_signing_in_and_out_have_the_same_rules(field: str) -> None:
    for uri in ("http://app.example/cb", "https://*.app.example/", "com.example.app:/cb", "javascript:x"):
        assert fields({**WEB, field: [uri]}) == {field}


def test_private_use_scheme_is_for_native_apps() -> None:
    said = {
        "client_name": "App",
        "redirect_uris": ["com.example.app:/cb"],
        "token_endpoint_auth_method": "none",
    }
    assert fields(said) == {"redirect_uris"}
    assert accepted({**said, "application_type": "native"}).public


def test_refresh_tokens_come_with_a_grant_that_gives_them() -> None:
    assert fields({**SERVICE, "grant_types": [CLIENT_CREDENTIALS, REFRESH_TOKEN]}) == {"grant_types"}
    assert fields({**SERVICE, "grant_types": []}) == {"grant_types"}
    accepted({**SERVICE, "grant_types": [DEVICE_CODE, REFRESH_TOKEN]})


@pytest.mark.parametrize("grant", [CLIENT_CREDENTIALS, TOKEN_EXCHANGE])
def test_public_client_gets_no_token_for_itself(grant: str) -> None:
    said = {"client_name": "App", "grant_types": [grant], "token_endpoint_auth_method": "none"}
    assert fields(said) == {"token_endpoint_auth_method"}


def test_public_client_must_use_pkce() -> None:
    assert fields({**WEB, "token_endpoint_auth_method": "none"}, require_pkce=False) == {"require_pkce"}


def test_only_openid_clients_with_a_secret_may_do_without_pkce() -> None:
    assert fields({**WEB, "scope": "orders:read"}, require_pkce=False) == {"require_pkce"}
    assert fields({**WEB, "scope": "openid2"}, require_pkce=False) == {"require_pkce"}
    assert not accepted({**WEB, "scope": "profile openid"}, require_pkce=False).require_pkce


def test_public_client_rotates_refresh_tokens_or_has_them_bound() -> None:
    said = {**WEB, "token_endpoint_auth_method": "none"}
    assert fields(said, rotate_refresh_tokens=False) == {"rotate_refresh_tokens"}
    accepted({**said, "dpop_bound_access_tokens": True}, rotate_refresh_tokens=False)


def test_client_that_signs_needs_its_keys_in_one_place() -> None:
    said = {**WEB, "token_endpoint_auth_method": "private_key_jwt"}
    here, there = {"jwks": {"keys": [RSA]}}, {"jwks_uri": "https://app.example/jwks"}
    assert fields(said) == {"jwks"}
    assert fields({**said, **here, **there}) == {"jwks_uri"}
    accepted({**said, **here})
    accepted({**said, **there})


@pytest.mark.parametrize(
    "jwks",
    [
        [], "{}", {}, {"keys": []}, {"keys": {}}, {"keys": ["x"]}, {"keys": [{}]}, {"keys": [{"kty": ["RSA"]}]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]},
        {"keys": [rsa_key_pairs()[0]]},
        {"keys": [ec_key_pairs()[0]]},
        {"keys": [{**RSA, "d": None}]},
        {"keys": [{**ED25519, "d": "x"}]},
        {"keys": [{**RSA, "n": RSA["n"][:170]}]},
        {"keys": [{**RSA, "n": RSA["n"] * 5}]},
        {"keys": [{**RSA, "n": "!"}]},
        {"keys": [{**RSA, "n": 7}]},
        {"keys": [{"kty": "RSA"}]},
        {"keys": [{**RSA, "alg": "HS256"}]},
        {"keys": [{**RSA, "alg": "ES256"}]},
        {"keys": [{**RSA, "alg": ["RS256"]}]},
        {"keys": [{**RSA, "kid": "../../etc/passwd\n"}]},
        {"keys": [{**RSA, "kid": 7}]},
        {"keys": [{**RSA, "use": "enc"}]},
        {"keys": [{**RSA, "use": "magic"}]},
        {"keys": [{**EC, "crv": "P-521"}]},
        {"keys": [{**EC, "y": EC["x"]}]},
        {"keys": [{**ED25519, "crv": "X25519"}]},
        {"keys": [RSA, {**EC, "kid": RSA["kid"]}]},
        {"keys": [{**RSA, "kid": None}, EC]},
        {"keys": [RSA] * 21},
    ],
)  # fmt: skip
def test_keys_that_are_not_public_strong_and_named_are_refused(jwks: Any) -> None:
    assert fields({**WEB, "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}) == {"jwks"}


def test_private_part_of_a_key_is_neither_stored_nor_said_again() -> None:
    pair = rsa_key_pairs()[0]
    [problem] = problems({**WEB, "jwks": {"keys": [pair]}})
    assert "make another pair" in problem.message
    assert not any(pair[member] in problem.message for member in PRIVATE_MEMBERS)


def test_only_known_members_of_keys_for_signing_are_stored() -> None:
    keys = [{**RSA, "x5c": ["MII"], "note": "x" * 10_000}, {**EC, "use": "enc"}]
    assert accepted({**WEB, "jwks": {"keys": keys}}).jwks == {"keys": [RSA]}


def test_registered_algorithm_needs_a_key_that_has_it() -> None:
    said = {**WEB, "token_endpoint_auth_method": "private_key_jwt"}
    bare = {member: value for member, value in RSA.items() if member != "alg"}
    for key, good, bad in ((RSA, "RS256", "PS256"), (bare, "PS256", "ES256"), (ED25519, "EdDSA", "RS256")):
        accepted({**said, "jwks": {"keys": [key]}, "token_endpoint_auth_signing_alg": good})
        wrong = {**said, "jwks": {"keys": [key]}, "token_endpoint_auth_signing_alg": bad}
        assert fields(wrong) == {"token_endpoint_auth_signing_alg"}


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA", "Ed25519"])
def test_client_chooses_among_the_algorithms_that_the_server_has_keys_for(alg: str) -> None:
    assert accepted({**WEB, "id_token_signed_response_alg": alg}).id_token_signed_response_alg == alg


@pytest.mark.parametrize("field", ["id_token", "userinfo", "introspection"])
def test_algorithm_without_a_key_is_refused_and_the_others_are_named(field: str) -> None:
    [problem] = problems({**WEB, f"{field}_signed_response_alg": "PS256"})
    assert problem.field == f"{field}_signed_response_alg"
    assert "choose of ES256, Ed25519, RS256" in problem.message


def test_pairwise_subjects_need_one_host_or_a_document_that_lists_the_addresses() -> None:
    said = {"client_name": "Shop", "subject_type": "pairwise"}
    one, other = "https://app.example/cb", "https://other.example/cb"
    assert fields({**said, "redirect_uris": [one, other]}) == {"subject_type"}
    assert fields({**said, "grant_types": [DEVICE_CODE]}) == {"subject_type"}
    accepted({**said, "redirect_uris": [one, "https://app.example:8443/cb2"]})
    listed = {**said, "redirect_uris": [one, other], "sector_identifier_uri": "https://app.example/list"}
    accepted(listed)
    assert fields({**listed, "sector_identifier_uri": "http://localhost/list"}) == {"sector_identifier_uri"}


def test_front_channel_logout_is_at_the_apps_own_address() -> None:
    accepted({**WEB, "frontchannel_logout_uri": "https://app.example/out?x=1"})
    for uri in ("https://other.example/out", "https://app.example:8443/out", "http://localhost/out"):
        assert fields({**WEB, "frontchannel_logout_uri": uri}) == {"frontchannel_logout_uri"}


@pytest.mark.parametrize(
    "uri", ["https://other.example/out?x=1", "http://127.0.0.1:3000/out", "http://localhost/out"]
)
def test_back_channel_logout_goes_to_https_or_to_this_machine(uri: str) -> None:
    assert accepted({**WEB, "backchannel_logout_uri": uri}).backchannel_logout_uri == uri


@pytest.mark.parametrize(
    "audience", ["https://api.example.com", "https://api.example/v1?x", "urn:example:api", "orders"]
)
def test_audience_is_a_uri_or_a_plain_name(audience: str) -> None:
    assert accepted(SERVICE, audiences=[audience]).audiences == (audience,)


def test_service_asks_for_no_scope_of_people_by_itself() -> None:
    assert accepted(SERVICE).scope == ""


def test_what_is_said_twice_is_kept_once_and_in_order() -> None:
    made = accepted({**WEB, "redirect_uris": [CALLBACK, CALLBACK], "scope": "openid b a b"})
    assert (made.redirect_uris, made.scope) == ((CALLBACK,), "openid b a")
