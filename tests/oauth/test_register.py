"""Clients that register themselves: SECURITY O70 and O72, RFC 7591, RFC 7592."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import Connection

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clients import store as clients
from authserver.clients.invited import invitations, registration_tokens
from authserver.clients.metadata import DEFAULT_SCOPE, OURS, STANDARD
from authserver.clients.registration import CLIENT_CREDENTIALS, DEVICE_CODE, TOKEN_EXCHANGE
from authserver.clients.store import Registered
from authserver.oauth.register import CHANGES
from tests.cli.conftest import on_sqlite
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, MakeServer
from tests.oauth.conftest import App, MakeApp, on_the_way
from tests.oauth.reading import PAGE, SAYABLE, error, events
from tests.signing_keys import rsa_key_pairs
from tests.visitor import Visitor

CALLBACK = "https://orders.example/callback"
ENDPOINT = "/oauth2/register"
SHOP: dict[str, Any] = {"client_name": "Shop", "redirect_uris": [CALLBACK]}
Invite = Callable[..., str]


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """RS256 is what a registration means that names no algorithm."""
    return make_server(signing_algorithms=("RS256",))


@pytest.fixture
def invite(server: Server) -> Invite:
    parts = server.capabilities

    def make(uses: int = 1, days: int = 7, scope: str = DEFAULT_SCOPE) -> str:
        def step(db: Connection) -> str:
            now, lasting = parts.clock.now(), timedelta(days=days)
            return invitations.invite(db, uses=uses, lasting=lasting, scope=scope, now=now)[1]

        return parts.database.write(step)

    return make


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def register(visitor: Visitor, token: str, **said: Any) -> httpx2.Response:
    return visitor.post(ENDPOINT, json={**SHOP, **said}, headers=bearer(token))


@pytest.fixture
def shop(visitor: Visitor, invite: Invite) -> dict[str, Any]:
    """A client that has registered itself, as it was told."""
    answer = register(visitor, invite())
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def own(visitor: Visitor, method: str, told: dict[str, Any], **more: Any) -> httpx2.Response:
    """A request to the client's own registration, with its own token."""
    path = told["registration_client_uri"].removeprefix(ISSUER)
    return visitor.request(method, path, headers=bearer(told["registration_access_token"]), **more)


def put(visitor: Visitor, told: dict[str, Any], **said: Any) -> httpx2.Response:
    return own(visitor, "PUT", told, json={"client_id": told["client_id"], **SHOP, **said})


def stored(server: Server, client_id: str) -> Registered | None:
    return server.capabilities.database.read(lambda db: clients.by_id(db, client_id))


def test_invited_client_registers_itself_and_is_told_everything(
    server: Server, visitor: Visitor, invite: Invite, clock: HandClock
) -> None:
    answer = register(visitor, invite())
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["client_id_issued_at"] == int(clock.now().timestamp())
    assert told["client_secret_expires_at"] == 0
    assert told["registration_client_uri"] == f"{ISSUER}{ENDPOINT}/{told['client_id']}"
    assert {name: told[name] for name in SHOP} == SHOP
    assert (told["grant_types"], told["response_types"]) == (["authorization_code"], ["code"])
    assert (told["token_endpoint_auth_method"], told["scope"]) == ("client_secret_basic", DEFAULT_SCOPE)
    assert not set(told) & set(OURS)
    found = stored(server, told["client_id"])
    assert found is not None
    assert len(found.client.registered_by) == 22
    assert events(server)[0] == "client.registered"


@on_sqlite
def test_client_that_registered_itself_signs_people_in_and_they_are_asked(
    server: Server, visitor: Visitor, shop: dict[str, Any], alice: Account
) -> None:
    found = stored(server, shop["client_id"])
    assert found is not None
    app = App(found.client, shop["client_secret"])
    visitor.sign_in(alice.username, PASSWORD)
    path, query = on_the_way(app.authorize(visitor, scope="openid email"))
    assert path == "/consent"
    answer = visitor.form(
        f"/consent?client_id={query['client_id']}&request_uri={query['request_uri']}",
        "/consent",
        {**query, "decision": "allow"},
    )
    code = httpx2.URL(visitor.get(answer.headers["location"]).headers["location"]).params["code"]
    assert app.exchange(visitor, code).status_code == 200


@on_sqlite
def test_public_client_gets_no_secret(visitor: Visitor, invite: Invite) -> None:
    told = register(visitor, invite(), token_endpoint_auth_method="none").json()
    assert "client_secret" not in told
    assert "client_secret_expires_at" not in told


WRONG_TOKENS = ("", "x", "Bearer", "토큰", "a b", '"')


@on_sqlite
def test_nobody_registers_without_an_invitation(visitor: Visitor, subtests: pytest.Subtests) -> None:
    for token in WRONG_TOKENS:
        with subtests.test(token=token):
            headers = {"Authorization": f"Bearer {token}".encode()}
            answer = visitor.post(ENDPOINT, json=SHOP, headers=headers)
            assert error(answer, 401) == "invalid_token"
            assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert error(visitor.post(ENDPOINT, json=SHOP), 401) == "invalid_token"


@on_sqlite
def test_invitation_stands_in_its_header_and_nowhere_else(visitor: Visitor, invite: Invite) -> None:
    token = invite()
    query = visitor.post(f"{ENDPOINT}?access_token={token}", json=SHOP)
    assert error(query, 401) == "invalid_token"
    basic = visitor.post(ENDPOINT, json=SHOP, auth=("client", token))
    assert error(basic, 401) == "invalid_token"
    twice = visitor.post(ENDPOINT, json=SHOP, headers=[("Authorization", f"Bearer {token}")] * 2)
    assert error(twice, 401) == "invalid_token"
    assert visitor.post(ENDPOINT, json=SHOP, headers={"Authorization": f"bearer {token}"}).status_code == 201


def test_flood_ends_where_the_invitation_does(visitor: Visitor, invite: Invite) -> None:
    request = ("POST", ENDPOINT, {"json": SHOP, "headers": bearer(invite(uses=3))})
    answers = visitor.together(*[request] * 12)
    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [401] * 9


@on_sqlite
def test_invitation_has_an_end(visitor: Visitor, invite: Invite, clock: HandClock) -> None:
    token = invite(days=7)
    clock.advance(timedelta(days=7))
    assert error(register(visitor, token), 401) == "invalid_token"


@on_sqlite
def test_registration_that_is_refused_uses_nothing_up(visitor: Visitor, invite: Invite) -> None:
    token = invite(uses=1)
    assert error(register(visitor, token, redirect_uris=["http://evil.example/"])) == "invalid_redirect_uri"
    assert register(visitor, token).status_code == 201


BAD_REDIRECTS = (
    "https://orders.example/cb#fragment",
    "/callback",
    "//orders.example/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "http://orders.example/cb",
    "https://*.example/cb",
    "https://user@orders.example/cb",
    "https://orders.example/cb\r\nX: y",
    "https://한국.example/cb",
    'https://orders.example/"',
    "myapp:/cb",
    "x" * 5_000,
    "",
)


@pytest.mark.parametrize("field", ["redirect_uris", "post_logout_redirect_uris"])
@on_sqlite
def test_address_that_is_not_plain_cannot_be_registered(
    visitor: Visitor, invite: Invite, field: str, subtests: pytest.Subtests
) -> None:
    token = invite()
    for uri in BAD_REDIRECTS:
        with subtests.test(uri=uri[:40]):
            assert error(register(visitor, token, **{field: [uri]})) == "invalid_redirect_uri"


PRIVATE_KEY = rsa_key_pairs()[0]
BAD_METADATA: tuple[dict[str, Any], ...] = (
    {"client_name": "x" * 300},
    {"client_name": "a\nb"},
    {"client_name": "Pay\u202eecnartsni"},
    {"client_name": 7},
    {"logo_uri": "data:image/png;base64,AAAA"},
    {"logo_uri": "javascript:alert(1)"},
    {"tos_uri": "http://orders.example/tos"},
    {"grant_types": ["password"]},
    {"grant_types": ["implicit"]},
    {"grant_types": [CLIENT_CREDENTIALS], "redirect_uris": []},
    {"grant_types": ["authorization_code", TOKEN_EXCHANGE]},
    {"response_types": ["token"]},
    {"scope": "openid admin"},
    {"scope": 'openid "'},
    {"jwks": {"keys": []}, "jwks_uri": "https://orders.example/jwks"},
    {"jwks": {"keys": [PRIVATE_KEY]}},
    {"jwks_uri": "file:///etc/passwd"},
    {"token_endpoint_auth_method": "private_key_jwt"},
    {"token_endpoint_auth_method": "client_secret_jwt"},
    {"id_token_signed_response_alg": "none"},
    {"id_token_signed_response_alg": "HS256"},
    {"sector_identifier_uri": "https://bank.example/sector"},
    {"subject_type": "pairwise", "grant_types": ["authorization_code", DEVICE_CODE]},
    {"default_max_age": -1},
    {"contacts": ["x"] * 51},
)


@on_sqlite
def test_metadata_that_does_not_hold_together_is_refused(
    visitor: Visitor, invite: Invite, subtests: pytest.Subtests
) -> None:
    token = invite()
    for said in BAD_METADATA:
        with subtests.test(said=str(said)[:60]):
            assert error(register(visitor, token, **said)) == "invalid_client_metadata"
    assert register(visitor, token).status_code == 201


@on_sqlite
def test_what_was_sent_is_never_in_the_answer(
    visitor: Visitor, invite: Invite, subtests: pytest.Subtests
) -> None:
    token, marker = invite(), "zqxj"
    hostile = f'{marker} cannot be registered: {marker}"<script>'
    for field in (*STANDARD, "unheard_of"):
        for value in (hostile, [hostile], {"keys": [{"kty": hostile, "kid": hostile}]}):
            with subtests.test(field=field, kind=type(value).__name__):
                answer = register(visitor, token, **{field: value})
                if answer.status_code != 201:
                    assert marker not in answer.text
                    assert SAYABLE.fullmatch(answer.json()["error_description"])
                else:
                    token = invite()


@on_sqlite
def test_words_of_the_operator_are_not_heard_from_a_stranger(
    server: Server, visitor: Visitor, invite: Invite
) -> None:
    said = {
        "first_party": True,
        "audiences": ["https://bank.example"],
        "require_pkce": False,
        "client_id": "first-party",
        "client_secret": "chosen",
        "registered_by": "operator",
        "software_statement": "e30.e30.",
        "client_name": None,
    }
    told = register(visitor, invite(), **said).json()
    assert told["client_id"] != "first-party"
    assert told["client_secret"] != "chosen"
    assert told["client_name"] == "orders.example"
    found = stored(server, told["client_id"])
    assert found is not None
    assert (found.client.first_party, found.client.audiences, found.client.require_pkce) == (False, (), True)


@on_sqlite
def test_invitation_says_which_scopes_there_are(visitor: Visitor, invite: Invite) -> None:
    token = invite(scope="openid orders:read")
    assert error(register(visitor, token, scope="openid email")) == "invalid_client_metadata"
    assert register(visitor, token, scope="orders:read").json()["scope"] == "orders:read"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b'{"client_name": "a", "client_name": "b"}', 400),
        (b'{"client_name": NaN}', 400),
        (b'{"x": ' + b"[" * 100 + b"]" * 100 + b"}", 400),
        (b'{"client_name": "\xff"}', 400),
        (b'{"client_name": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
@on_sqlite
def test_body_that_is_no_small_strict_json_is_refused(
    visitor: Visitor, invite: Invite, body: bytes, status: int
) -> None:
    headers = {**bearer(invite()), "Content-Type": "application/json"}
    assert error(visitor.post(ENDPOINT, content=body, headers=headers), status) == "invalid_request"


@on_sqlite
def test_form_is_no_registration(visitor: Visitor, invite: Invite) -> None:
    answer = visitor.post(ENDPOINT, data={"client_name": "x"}, headers=bearer(invite()))
    assert error(answer, 415) == "invalid_request"


@on_sqlite
def test_long_registration_has_room(visitor: Visitor, invite: Invite) -> None:
    uris = [f"https://orders.example/{number}/{'x' * 900}" for number in range(50)]
    answer = register(visitor, invite(), redirect_uris=uris)
    assert answer.status_code == 201
    assert answer.json()["redirect_uris"] == uris


@on_sqlite
def test_markup_in_a_name_is_text_on_the_page(
    server: Server, visitor: Visitor, invite: Invite, alice: Account
) -> None:
    name = "<img src=x onerror=alert(1)> & Söhne"
    told = register(visitor, invite(), client_name=name).json()
    assert told["client_name"] == name
    found = stored(server, told["client_id"])
    assert found is not None
    visitor.sign_in(alice.username, PASSWORD)
    path, query = on_the_way(App(found.client, None).authorize(visitor, scope="openid"))
    page = visitor.get(path, params=query, headers=PAGE).text
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; Söhne" in page


@on_sqlite
def test_client_reads_its_registration_and_no_secret(visitor: Visitor, shop: dict[str, Any]) -> None:
    answer = own(visitor, "GET", shop)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    secrets = {"client_secret", "client_secret_expires_at"}
    assert answer.json() == {name: value for name, value in shop.items() if name not in secrets}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@on_sqlite
def test_registration_token_opens_its_own_client_and_no_other(
    server: Server, visitor: Visitor, invite: Invite, shop: dict[str, Any], make_app: MakeApp, method: str
) -> None:
    other = register(visitor, invite(), client_name="Other").json()
    operators = make_app().client
    for client_id in (other["client_id"], operators.client_id, "nobody", "first-party", "%00", "é"):
        body = {"json": {**SHOP, "client_id": client_id}} if method == "PUT" else {}
        headers = bearer(shop["registration_access_token"])
        answer = visitor.request(method, f"{ENDPOINT}/{client_id}", headers=headers, **body)
        assert error(answer, 401) == "invalid_token"
    assert own(visitor, "GET", other).json()["client_name"] == "Other"
    assert stored(server, operators.client_id) is not None


@on_sqlite
def test_neither_invitation_nor_secret_opens_a_registration(
    visitor: Visitor, invite: Invite, shop: dict[str, Any]
) -> None:
    for token in (invite(), shop["client_secret"], shop["client_id"], ""):
        stolen = {**shop, "registration_access_token": token}
        assert error(own(visitor, "GET", stolen), 401) == "invalid_token"
    assert error(register(visitor, shop["registration_access_token"]), 401) == "invalid_token"


def test_change_replaces_the_whole_registration_and_the_token(
    server: Server, visitor: Visitor, invite: Invite
) -> None:
    before = register(visitor, invite(), logo_uri="https://orders.example/logo.png", scope="openid").json()
    answer = put(visitor, before, client_name="Shop 2")
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after["client_name"] == "Shop 2"
    assert "logo_uri" not in after
    assert after["scope"] == DEFAULT_SCOPE
    assert "client_secret" not in after
    assert after["client_id_issued_at"] == before["client_id_issued_at"]
    assert error(own(visitor, "GET", before), 401) == "invalid_token"
    assert own(visitor, "GET", after).json() == after
    assert events(server)[0] == "client.updated"


@on_sqlite
def test_change_keeps_what_the_operator_decided(
    server: Server, visitor: Visitor, shop: dict[str, Any]
) -> None:
    wide = {"scope": "openid orders:read", "grant_types": ["authorization_code", CLIENT_CREDENTIALS]}
    server.capabilities.database.write(
        lambda db: clients.change(
            db, shop["client_id"], first_party=True, audiences=["https://api.example"], **wide
        )
    )
    shop = put(visitor, shop, **wide, first_party=False, audiences=[]).json()
    found = stored(server, shop["client_id"])
    assert found is not None
    assert (found.client.first_party, found.client.audiences) == (True, ("https://api.example",))
    assert error(put(visitor, shop, scope="openid orders:write")) == "invalid_client_metadata"


@on_sqlite
def test_change_that_is_refused_leaves_everything_as_it_was(visitor: Visitor, shop: dict[str, Any]) -> None:
    before = own(visitor, "GET", shop).json()
    assert error(put(visitor, shop, redirect_uris=["javascript:alert(1)"])) == "invalid_redirect_uri"
    for said in (
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_secret": "chosen"},
        {"client_secret": 7},
        {"registration_access_token": shop["registration_access_token"]},
        {"registration_client_uri": shop["registration_client_uri"]},
        {"client_secret_expires_at": 0},
        {"client_id_issued_at": 0},
    ):
        assert error(put(visitor, shop, **said)) == "invalid_client_metadata"
    assert own(visitor, "GET", shop).json() == before
    assert put(visitor, shop, client_secret=shop["client_secret"]).status_code == 200


@on_sqlite
def test_new_way_to_prove_itself_brings_a_new_secret_and_takes_the_old_one(
    server: Server, visitor: Visitor, shop: dict[str, Any]
) -> None:
    public = put(visitor, shop, token_endpoint_auth_method="none").json()
    assert "client_secret" not in public
    again = put(visitor, public, token_endpoint_auth_method="client_secret_post").json()
    assert again["client_secret"] != shop["client_secret"]
    found = stored(server, shop["client_id"])
    assert found is not None
    assert sum(secret.alive(server.capabilities.clock.now()) for secret in found.secrets) == 1


def test_of_two_changes_at_once_with_one_token_one_counts(visitor: Visitor, shop: dict[str, Any]) -> None:
    path = shop["registration_client_uri"].removeprefix(ISSUER)
    headers = bearer(shop["registration_access_token"])
    requests = [
        (
            "PUT",
            path,
            {"json": {**SHOP, "client_id": shop["client_id"], "client_name": name}, "headers": headers},
        )
        for name in ("One", "Two", "Three")
    ]
    answers = visitor.together(*requests)
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]


@on_sqlite
def test_changes_of_one_client_have_an_end(visitor: Visitor, shop: dict[str, Any], clock: HandClock) -> None:
    for number in range(CHANGES[0].attempts):
        shop = put(visitor, shop, client_name=f"Shop {number}").json()
    refused = put(visitor, shop, client_name="once more")
    assert error(refused, 429) == "slow_down"
    clock.advance(int(refused.headers["retry-after"]))
    assert put(visitor, shop).status_code == 200


def test_deleted_client_is_gone_and_its_tokens_with_it(
    server: Server, visitor: Visitor, shop: dict[str, Any], alice: Account
) -> None:
    answer = own(visitor, "DELETE", shop)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    server.follow()
    known = server.revocations.known
    assert known is not None
    assert [(entry.kind, entry.value) for entry in known.entries] == [("client_id", shop["client_id"])]
    for method in ("GET", "DELETE"):
        assert error(own(visitor, method, shop), 401) == "invalid_token"
    assert error(put(visitor, shop), 401) == "invalid_token"
    assert stored(server, shop["client_id"]) is None
    assert events(server)[0] == "client.deleted"


@on_sqlite
def test_disabled_client_cannot_look_after_itself(
    server: Server, visitor: Visitor, shop: dict[str, Any]
) -> None:
    now = server.capabilities.clock.now()
    server.capabilities.database.write(lambda db: clients.change(db, shop["client_id"], disabled_at=now))
    for method in ("GET", "DELETE"):
        assert error(own(visitor, method, shop), 401) == "invalid_token"


def test_secrets_are_stored_as_hashes(server: Server, visitor: Visitor, invite: Invite) -> None:
    token = invite(uses=2)
    told = register(visitor, token).json()
    tables = ("invitation", "registration_token", "client_secret", "audit_entry")

    def everything(db: Connection) -> str:
        return repr([db.exec_driver_sql(f"SELECT * FROM {name}").all() for name in tables])

    rows = server.capabilities.database.read(everything)
    for secret in (token, told["registration_access_token"], told["client_secret"]):
        assert secret not in rows


@on_sqlite
def test_used_up_invitations_are_purged(server: Server, visitor: Visitor, invite: Invite) -> None:
    used, left = invite(), invite(uses=2)
    register(visitor, used)
    register(visitor, left)
    assert server.capabilities.maintenance.run().purged["invitations"] == 1
    assert register(visitor, left).status_code == 201


@on_sqlite
def test_discovery_names_the_endpoint(visitor: Visitor) -> None:
    said = visitor.get("/.well-known/openid-configuration").json()
    assert said["registration_endpoint"] == f"{ISSUER}{ENDPOINT}"


@on_sqlite
def test_client_of_the_operator_has_no_key_that_fits(server: Server, app: App) -> None:
    opens = registration_tokens.opens
    assert server.capabilities.database.read(lambda db: opens(db, app.client.client_id, "")) is None
