"""Config OP: `oidcc-config-certification-test-plan`, one module, every rule of which is an assertion here."""

import re
from urllib.parse import urlsplit

from tests.conformance import judging
from tests.conftest import ISSUER
from tests.visitor import Visitor

DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 §3.3
LOCALE = re.compile(
    r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"
)  # RFC 5646 §2.1.1: as it is written
LISTS_OF_TEXTS = (
    *("response_types_supported", "response_modes_supported", "grant_types_supported", "scopes_supported"),
    *("subject_types_supported", "id_token_signing_alg_values_supported", "claims_supported"),
    *("code_challenge_methods_supported", "token_endpoint_auth_methods_supported", "ui_locales_supported"),
)
REQUIRED = {
    *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"),
    *("subject_types_supported", "id_token_signing_alg_values_supported", "userinfo_endpoint"),
}


def test_oidcc_discovery_endpoint_verification(program: Visitor) -> None:
    """GET the discovery document → 200, JSON, the issuer's own; all members as the schema has them, all URLs https"""
    answer = program.get(DISCOVERY)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    offered = answer.json()
    assert set(offered) >= REQUIRED
    assert offered["issuer"] == ISSUER
    issuer = urlsplit(offered["issuer"])
    assert (issuer.scheme, issuer.query, issuer.fragment) == ("https", "", "")

    for name in LISTS_OF_TEXTS:
        assert isinstance(offered[name], list), name
        assert all(isinstance(text, str) for text in offered[name]), name
        assert len(set(offered[name])) == len(offered[name]) > 0, name
    for name, value in offered.items():
        if name.endswith(("_endpoint", "_uri")):
            assert urlsplit(value).scheme == "https", name
            assert value.startswith(ISSUER), name
        if name.endswith("_supported") and name not in LISTS_OF_TEXTS:
            assert isinstance(value, bool | list), name

    assert "code" in offered["response_types_supported"]
    assert set(offered["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in offered["id_token_signing_alg_values_supported"]
    assert "authorization_code" in offered["grant_types_supported"]
    assert "openid" in offered["scopes_supported"]
    assert all(SCOPE.fullmatch(scope) for scope in offered["scopes_supported"])
    assert all(LOCALE.fullmatch(tag) for tag in offered["ui_locales_supported"])
    assert {"sub", "iss", "aud"} <= set(offered["claims_supported"])
    judging.keys(program.get(offered["jwks_uri"]))
