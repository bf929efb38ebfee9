"""Requests to the endpoints for programs that are read in one way or not at all: O60, and Authlib's W1, W8 and W17."""

import logging
from urllib.parse import quote, urlencode

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authserver import logs
from authserver.accounts.store import Account
from authserver.app import Server
from tests.attacks.bare_request import send
from tests.attacks.fast_servers import logs_of_production
from tests.attacks.marks import SQLITE_ONLY
from tests.conftest import PASSWORD
from tests.oauth.conftest import App, MakeApp
from tests.oauth.reading import PAGE, claims, error, introspected
from tests.visitor import Visitor

__all__ = ["logs_of_production"]

ENDPOINTS = ("token", "par", "revoke", "introspect")
FORM = "application/x-www-form-urlencoded"
TEXTS = st.text(max_size=40) | st.sampled_from(
    ["", "\0", '"', "\\", "주문", "none", "openid", "a.b.c", "\u2028", "%"]
)
TOKEN_NAMES = (
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "resource",
    "token",
)
GRANT_TYPES = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "password",
    "implicit",
    "주문",
    '"',
    "\\",
)

pytestmark = SQLITE_ONLY  # what is read and refused here, no database has a part in
AUTHORIZE_NAMES = (
    *(
        "response_type",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "prompt",
    ),
    *(
        "max_age",
        "response_mode",
        "resource",
        "request",
        "request_uri",
        "id_token_hint",
        "login_hint",
        "ui_locales",
    ),
    *("acr_values", "claims", "display", "dpop_jkt"),
)
FUZZ = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in(alice.username, PASSWORD)
    return visitor


def post(visitor: Visitor, endpoint: str, raw: str, app: App, **headers: str) -> httpx2.Response:
    sent = {"Content-Type": FORM, **headers}
    return visitor.post(f"/oauth2/{endpoint}", content=raw, headers=sent, auth=app.auth)


def usual(app: App) -> str:
    return urlencode(app.request(grant_type="client_credentials", token="x", scope="orders:read"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
def test_request_that_can_be_read_in_two_ways_is_refused_by_the_rfc(
    app: App, visitor: Visitor, endpoint: str, accept: str, subtests: pytest.Subtests
) -> None:
    many = "&".join(f"p{number}=1" for number in range(200))
    for raw in (
        f"{usual(app)}&scope=orders:write",
        f"{usual(app)}&grant_type=client_credentials",
        f"{usual(app)}&grant_type=",
        f"{usual(app)}&client_id={app.client.client_id}",
        f"{usual(app)}&token=y",
        f"{usual(app)}&unknown=1&unknown=1",
        f"{usual(app)}&x=%00",
        f"{usual(app)}&x=%FF",
        f"{usual(app)}&x=%ED%A0%80",
        f"{usual(app)}&주문=1",
        f"{usual(app)}&{many}",
    ):
        with subtests.test(raw=raw[-20:]):
            assert error(post(visitor, endpoint, raw, app, Accept=accept)) == "invalid_request"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_query_and_other_media_types_are_not_read(
    app: App, visitor: Visitor, endpoint: str, subtests: pytest.Subtests
) -> None:
    raw = usual(app)
    for query in ("grant_type=client_credentials", "x=1", "access_token=x", "client_secret=x"):
        with subtests.test(query=query):
            assert error(post(visitor, f"{endpoint}?{query}", raw, app)) == "invalid_request"
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", "application/jwt", ""):
        with subtests.test(kind=kind):
            answer = post(visitor, endpoint, raw, app, **{"Content-Type": kind})
            assert error(answer, 415) == "invalid_request"
    json = visitor.post(f"/oauth2/{endpoint}", json={"grant_type": "client_credentials"}, auth=app.auth)
    assert error(json, 415) == "invalid_request"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_body_that_is_too_large_is_not_read(app: App, visitor: Visitor, endpoint: str) -> None:
    many = usual(app) + "".join(f"&{number}=" for number in range(10_000))
    assert error(post(visitor, endpoint, many, app), 413) == "invalid_request"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_semicolon_does_not_separate_parameters(app: App, visitor: Visitor, endpoint: str) -> None:
    raw = f"grant_type=client_credentials;scope=orders:write;token=x;client_id={app.client.client_id}"
    assert 400 <= post(visitor, endpoint, raw, app).status_code < 500


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD"])
def test_only_post_is_answered(app: App, visitor: Visitor, endpoint: str, method: str) -> None:
    answer = visitor.request(method, f"/oauth2/{endpoint}?{usual(app)}", auth=app.auth)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("grant_type", "expected"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("password", "unsupported_grant_type"),
        ("implicit", "unsupported_grant_type"),
        ("Client_Credentials", "unsupported_grant_type"),
        ("client_credentials ", "unsupported_grant_type"),
        ("주문", "unsupported_grant_type"),
        ('"\\', "unsupported_grant_type"),
        ("urn:ietf:params:oauth:grant-type:saml2-bearer", "unsupported_grant_type"),
    ],
)
def test_grant_type_that_is_not_offered_is_refused_by_name(
    app: App, visitor: Visitor, grant_type: str | None, expected: str
) -> None:
    assert error(app.token(visitor, grant_type=grant_type, scope="orders:read")) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": "authorization_code"},
        {"grant_type": "authorization_code", "code": ""},
        {"grant_type": "refresh_token"},
        {"grant_type": "refresh_token", "refresh_token": ""},
    ],
    ids=str,
)
def test_parameter_without_a_value_counts_as_left_out(
    app: App, visitor: Visitor, fields: dict[str, str]
) -> None:
    assert error(app.token(visitor, **fields)) in ("invalid_request", "invalid_grant")


# client_credentials


def test_token_of_a_client_itself_is_about_nobody_else(server: Server, app: App, visitor: Visitor) -> None:
    answer = app.token(visitor, grant_type="client_credentials").json()
    found = claims(server, answer["access_token"])
    assert (found["sub"], found["client_id"]) == ("orders-web", "orders-web")
    assert not {"sid", "auth_time", "acr", "amr", "roles", "grant_id"} & set(found)
    assert not {"openid", "offline_access"} & set(found["scope"].split())
    assert not {"refresh_token", "id_token"} & set(answer)


@pytest.mark.parametrize("scope", ["openid", "openid orders:read", "offline_access", "admin", '"', "주문"])
def test_client_itself_gets_no_scope_that_is_not_its_own(app: App, visitor: Visitor, scope: str) -> None:
    assert error(app.token(visitor, grant_type="client_credentials", scope=scope)) == "invalid_scope"


@pytest.mark.parametrize("resource", ["https://other.example/", "주문", "x" * 3000])
def test_client_itself_gets_no_audience_that_is_not_its_own(
    app: App, visitor: Visitor, resource: str
) -> None:
    answer = app.token(visitor, grant_type="client_credentials", resource=resource)
    assert error(answer) == "invalid_target"


def test_public_client_has_nothing_of_its_own(make_app: MakeApp, visitor: Visitor) -> None:
    """No registration allows it; whatever brought it about, nobody proves anything here."""
    page = make_app(client_id="page", token_endpoint_auth_method="none")
    answer = page.token(visitor, grant_type="client_credentials")
    assert error(answer) == "unauthorized_client"


# what is written down


def test_no_token_and_no_secret_is_logged_at_any_level(
    app: App, signed_in: Visitor, caplog: pytest.LogCaptureFixture, logs_of_production: None
) -> None:
    """Authlib writes every token down at DEBUG (W17)."""
    logs.configure("json", "DEBUG")
    logging.getLogger().addHandler(caplog.handler)  # `configure` took its place
    code = app.code(signed_in)
    tokens = app.exchange(signed_in, code).json()
    more = app.refresh(signed_in, tokens["refresh_token"]).json()
    own = app.token(signed_in, grant_type="client_credentials").json()
    app.exchange(signed_in, code)
    introspected(app, signed_in, more["refresh_token"])
    assert "/oauth2/token" in caplog.text, "something has to be logged for this to mean anything"
    answers = (tokens, more, own)
    secrets = {each[name] for each in answers for name in each if name.endswith("_token")}
    for secret in (*secrets, code, app.secret or ""):
        assert secret not in caplog.text


# whatever is sent


@FUZZ
@given(st.dictionaries(st.sampled_from(TOKEN_NAMES), TEXTS), st.sampled_from(GRANT_TYPES))
def test_token_endpoint_never_fails_and_always_answers_by_the_rfc(
    app: App, visitor: Visitor, fields: dict[str, str], grant_type: str
) -> None:
    raw = urlencode({**fields, "grant_type": grant_type}, errors="surrogatepass")
    answer = post(visitor, "token", raw, app)
    if answer.status_code != 200:
        error(answer)


@FUZZ
@given(st.dictionaries(st.sampled_from(AUTHORIZE_NAMES), TEXTS))
def test_authorization_endpoint_never_fails(app: App, visitor: Visitor, fields: dict[str, str]) -> None:
    raw = urlencode({**app.request(), **fields}, errors="surrogatepass")
    answers = (
        visitor.get(f"/oauth2/authorize?{raw}", headers=PAGE),
        visitor.post("/oauth2/authorize", content=raw, headers={"Content-Type": FORM, **PAGE}),
        post(visitor, "par", raw, app),
    )
    assert all(answer.status_code < 500 for answer in answers), [answer.text for answer in answers]


@FUZZ
@given(st.sampled_from((*ENDPOINTS, "authorize")), st.binary(max_size=200), st.booleans())
def test_bytes_of_any_kind_are_the_fault_of_whoever_sent_them(
    server: Server, endpoint: str, raw: bytes, in_query: bool
) -> None:
    messages = ({"type": "http.request", "body": b"" if in_query else raw, "more_body": False},)
    headers = (b"content-type", FORM.encode()), (b"authorization", b"Basic " + quote(raw).encode())
    method = "GET" if in_query and endpoint == "authorize" else "POST"
    query = raw if in_query else b""
    answer = send(server, method, f"/oauth2/{endpoint}", *headers, query=query, messages=messages)
    assert answer.status < 500
