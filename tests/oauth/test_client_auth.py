"""How a client proves who it is: SECURITY O50 and O52, and Authlib's W2, W3, W4 and W24."""

from base64 import b64encode
from datetime import timedelta
from urllib.parse import quote, quote_plus

import httpx2
import pytest

from authserver.app import Server
from authserver.clients import secrets, store
from authserver.opaque import hash_secret
from tests.attacks.marks import SQLITE_ONLY
from tests.oauth.conftest import App, MakeApp
from tests.oauth.reading import error
from tests.visitor import Visitor

pytestmark = SQLITE_ONLY  # what is read and refused here, no database has a part in

ENDPOINTS = ("token", "par", "revoke", "introspect")
BY_SECRET = ("client_secret_basic", "client_secret_post")


def basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


def ask(
    visitor: Visitor, endpoint: str = "token", authorization: str | bytes | None = None, **fields: str | None
) -> httpx2.Response:
    sent = {"grant_type": "client_credentials", "token": "x", **fields}
    headers = {} if authorization is None else {"Authorization": authorization}
    data = {name: value for name, value in sent.items() if value is not None}
    return visitor.post(f"/oauth2/{endpoint}", data=data, headers=headers)


def same_refusal(answers: list[httpx2.Response], *, by_header: bool) -> None:
    """In the same words, whichever it was; and with a challenge only where a header was sent (RFC 6749 §5.2)."""
    assert {error(answer, 401) for answer in answers} == {"invalid_client"}
    assert len({answer.content for answer in answers}) == 1
    expected = 'Basic realm="oauth2", charset="UTF-8"' if by_header else None
    assert {answer.headers.get("www-authenticate") for answer in answers} == {expected}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_client_that_proves_nothing_is_told_the_same_as_one_that_does_not_exist(
    app: App, make_app: MakeApp, visitor: Visitor, endpoint: str
) -> None:
    other = make_app(client_id="other")
    name, secret = app.client.client_id, str(app.secret)
    wrong = [
        ("nobody", secret),
        (name, "wrong"),
        (name, ""),
        (name, str(other.secret)),
        (name, secret.swapcase()),
        (name, f"{secret} "),
        (name.upper(), secret),
        ("orders\u2010web", secret),
        ("주문", secret),
        (f"{name}\n", secret),
        ('"\\', "'"),
        ("x" * 300, secret),
    ]
    same_refusal([ask(visitor, endpoint, basic(*each)) for each in wrong], by_header=True)
    fields = [{"client_id": each, "client_secret": proof or "x"} for each, proof in wrong]
    same_refusal([ask(visitor, endpoint, **each) for each in fields], by_header=False)
    assert ask(visitor, endpoint, basic(name, secret)).status_code != 401


@pytest.mark.parametrize("registered", [*BY_SECRET, "none"])
def test_client_proves_itself_in_the_registered_way_and_in_no_other(
    make_app: MakeApp, visitor: Visitor, registered: str
) -> None:
    public = registered == "none"
    app = make_app(token_endpoint_auth_method=registered, grant_types=("authorization_code",))
    name, secret = app.client.client_id, app.secret or "x"
    ways = {
        "client_secret_basic": ask(visitor, "revoke", basic(name, secret)),
        "client_secret_post": ask(visitor, "revoke", client_id=name, client_secret=secret),
        "none": ask(visitor, "revoke", client_id=name),
        "empty secret": ask(visitor, "revoke", client_id=name, client_secret=""),
    }
    allowed = {registered, "empty secret"} if public else {registered}  # a parameter without a value is none
    assert {way for way, answer in ways.items() if answer.status_code == 200} == allowed
    assert {answer.status_code for way, answer in ways.items() if way not in allowed} == {401}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_two_ways_at_once_are_refused_although_both_are_right(
    app: App, visitor: Visitor, endpoint: str
) -> None:
    name, secret = app.client.client_id, str(app.secret)
    header = basic(name, secret)
    assert error(ask(visitor, endpoint, header, client_id=name, client_secret=secret)) == "invalid_request"
    assert error(ask(visitor, endpoint, header, client_secret=secret)) == "invalid_request"
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    both = {"client_assertion": "x.y.z", "client_assertion_type": kind}
    assert ask(visitor, endpoint, header, **both).status_code in (400, 401)
    assert ask(visitor, endpoint, client_id=name, client_secret=secret, **both).status_code in (400, 401)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("named", ["other", "ORDERS-WEB", "orders-web ", "orders\u2010web", "주문"])
def test_name_in_the_form_has_to_be_the_one_in_the_header(
    app: App, make_app: MakeApp, visitor: Visitor, endpoint: str, named: str
) -> None:
    make_app(client_id="other")
    header = basic(app.client.client_id, str(app.secret))
    assert error(ask(visitor, endpoint, header, client_id=named), 401) == "invalid_client"
    assert ask(visitor, endpoint, header, client_id=app.client.client_id).status_code != 401


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + b64encode(b"no colon").decode(),
        "Basic " + b64encode(b":secret").decode(),
        "Basic " + b64encode(b"\xff\xfe:\xff").decode(),
        "Basic " + b64encode("주문:비밀".encode("euc-kr")).decode(),
        "Basic " + b64encode(b"orders-web:x").decode().rstrip("=") + "%3D",
        "Basic " + b64encode(b"orders-web:x").decode() + " trailing",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Digest username=orders-web",
        "Negotiate x",
        b"Basic \xff\xfe",
        "Basic 주문".encode(),
        "",
    ],
)
def test_header_that_cannot_be_read_is_refused_and_never_fails(
    app: App, visitor: Visitor, header: str | bytes
) -> None:
    assert error(ask(visitor, authorization=header)) == "invalid_request"
    assert error(ask(visitor, authorization=header, client_id=app.client.client_id)) == "invalid_request"


def test_two_headers_are_refused(app: App, visitor: Visitor) -> None:
    header = basic(app.client.client_id, str(app.secret))
    answer = visitor.post(
        "/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers=[("Authorization", header), ("Authorization", header)],
    )
    assert error(answer) == "invalid_request"


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_scheme_is_read_in_any_case(app: App, visitor: Visitor, scheme: str) -> None:
    encoded = basic(app.client.client_id, str(app.secret)).partition(" ")[2]
    assert ask(visitor, authorization=f"{scheme} {encoded}").status_code == 200


@pytest.mark.parametrize("secret", ["a:b", "a+b c%d", "비밀", "%2B", "&=?#", "'\"\\"])
def test_parts_of_basic_are_form_encoded(
    server: Server, app: App, make_app: MakeApp, visitor: Visitor, secret: str
) -> None:
    """RFC 6749 §2.3.1: some clients write a space as +, others as %20; nothing else has two spellings."""
    parts = server.capabilities
    now, name = parts.clock.now(), app.client.client_id
    parts.database.write(lambda db: store.add_secret(db, name, hash_secret(secret), now=now))
    for encode in (quote, quote_plus):
        assert (
            ask(visitor, authorization=basic(encode(name, safe=""), encode(secret, safe=""))).status_code
            == 200
        )
    wrong = secret.replace("b", "c") if "b" in secret else f"{secret}x"
    assert ask(visitor, authorization=basic(name, quote(wrong, safe=""))).status_code == 401


def test_both_secrets_are_good_while_an_app_changes_over(server: Server, app: App, visitor: Visitor) -> None:
    parts, old = server.capabilities, str(app.secret)
    now = parts.clock.now()
    new = parts.database.write(lambda db: secrets.rotate(db, app.client, now, timedelta(seconds=10)))
    name = app.client.client_id
    assert [ask(visitor, authorization=basic(name, each)).status_code for each in (old, new)] == [200, 200]
    parts.clock.advance(10)  # type: ignore[attr-defined]
    assert [ask(visitor, authorization=basic(name, each)).status_code for each in (old, new)] == [401, 200]


@pytest.mark.parametrize("method", BY_SECRET)
def test_disabled_client_is_nobody(server: Server, make_app: MakeApp, visitor: Visitor, method: str) -> None:
    app = make_app(token_endpoint_auth_method=method)
    parts, name, secret = server.capabilities, app.client.client_id, str(app.secret)
    parts.database.write(lambda db: store.change(db, name, disabled_at=parts.clock.now()))
    if method == "client_secret_basic":
        answers = [ask(visitor, authorization=basic(each, secret)) for each in (name, "nobody")]
    else:
        answers = [ask(visitor, client_id=each, client_secret=secret) for each in (name, "nobody")]
    same_refusal(answers, by_header=method == "client_secret_basic")


def test_public_client_may_not_introspect(public_app: App, visitor: Visitor) -> None:
    name = public_app.client.client_id
    assert error(ask(visitor, "introspect", client_id=name), 401) == "invalid_client"


def test_whoever_names_no_client_is_refused(visitor: Visitor) -> None:
    for endpoint in ENDPOINTS:
        assert error(ask(visitor, endpoint), 401) == "invalid_client"
