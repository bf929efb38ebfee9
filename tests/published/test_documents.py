"""The public documents over HTTP: methods, caching, and the same bytes from every server of one database."""

import pytest

from authserver.app import Server
from authserver.published.documents import refusal
from tests.attacks.bare_request import send
from tests.attacks.marks import SQLITE_ONLY
from tests.attacks.resource_service import MakeVisitor
from tests.attacks.sabotage import execute
from tests.conftest import ISSUER, MakeServer
from tests.visitor import Visitor

JWKS = "/.well-known/jwks.json"
DISCOVERY = "/.well-known/openid-configuration"
STABLE = (
    JWKS,
    DISCOVERY,
    "/.well-known/oauth-authorization-server",
    "/static/style.css",
    "/static/theme.css",
)


@SQLITE_ONLY
def test_methods_caching_and_conditions_of_every_stable_document(visitor: Visitor) -> None:
    for path in STABLE:
        whole = visitor.get(path)
        etag = whole.headers["etag"]
        assert whole.status_code == 200
        assert whole.headers["cache-control"].startswith("public, max-age=")
        assert etag.startswith('"'), "strong, not W/"
        head = visitor.request("HEAD", path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(whole.content))
        for condition in (etag, f'"other", {etag}', f"W/{etag}", "*"):
            same = visitor.get(path, headers={"If-None-Match": condition})
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
            assert same.headers["cache-control"] == whole.headers["cache-control"]
        for condition in ('"other"', "", etag.strip('"'), etag[:-2] + '"'):
            assert visitor.get(path, headers={"If-None-Match": condition}).status_code == 200
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            wrong = visitor.request(method, path)
            assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        preflight = visitor.request("OPTIONS", path, headers={"Origin": "https://any.example"})
        assert preflight.status_code == 204
        assert "GET" in preflight.headers["access-control-allow-methods"]


@SQLITE_ONLY
def test_a_condition_may_come_in_several_headers(server: Server, visitor: Visitor) -> None:
    etag = visitor.get(JWKS).headers["etag"].encode()
    answer = send(server, "GET", JWKS, (b"if-none-match", b'"other"'), (b"if-none-match", etag))
    assert answer.status == 304


def test_two_servers_of_one_database_publish_the_same_bytes(
    make_server: MakeServer, make_visitor: MakeVisitor
) -> None:
    one, other = (make_visitor(make_server()) for _ in range(2))
    for path in STABLE:
        assert one.get(path).content == other.get(path).content
        assert one.get(path).headers["etag"] == other.get(path).headers["etag"]


@SQLITE_ONLY
def test_discovery_says_what_there_is_and_only_that(server: Server, visitor: Visitor) -> None:
    facts = visitor.get(DISCOVERY).json()
    assert facts == visitor.get("/.well-known/oauth-authorization-server").json()
    assert facts["issuer"] == ISSUER
    for name in ("jwks_uri", "revocations_endpoint"):
        assert facts[name].startswith(ISSUER)
        assert visitor.get(facts[name].removeprefix(ISSUER)).status_code == 200
    endpoints = {name: facts[name].removeprefix(ISSUER) for name in facts if name.endswith("_endpoint")}
    mounted = {path for path in server.api.openapi()["paths"] if path.startswith("/oauth2/")}
    beside = {"/oauth2/logout/confirm", "/oauth2/register/{client_id}"}
    assert mounted - beside == set(endpoints.values()) - {"/revocations"}
    assert facts["id_token_signing_alg_values_supported"] == ["RS256"]


def test_an_error_is_never_not_modified() -> None:
    """RFC 9110 §13.2.1: a condition counts only where the answer without it would be a success."""
    problem = refusal(503, "temporarily_unavailable", "not ready")
    scope = {"method": "GET", "headers": [(b"if-none-match", b"*")]}
    start, _ = problem.for_request(scope)
    assert start["status"] == 503


@SQLITE_ONLY
@pytest.mark.parametrize("path", [JWKS, "/revocations", "/readyz"])
def test_what_is_not_there_yet_says_when_to_come_back(
    make_server: MakeServer, make_visitor: MakeVisitor, path: str
) -> None:
    server = make_server()
    execute(server.capabilities.database, "DELETE FROM signing_key; DELETE FROM keyring;")
    server.keyring.refresh()
    answer = make_visitor(server).get(path)
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert int(answer.headers["retry-after"]) >= 1
