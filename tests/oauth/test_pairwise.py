"""Pairwise subjects: apps of two companies cannot put together what they know, and a sign-out reaches them all."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.protocol.revocation import Kind
from authserver.subjects import store
from authserver.subjects.sectors import sector_of
from tests.attacks.marks import SQLITE_ONLY
from tests.conftest import PASSWORD, add_account
from tests.oauth.conftest import App, MakeApp, on_the_way, returned
from tests.oauth.reading import claims, introspected
from tests.visitor import Visitor


@dataclass(frozen=True)
class Signed:
    """What an app was given, and what stands in it."""

    tokens: dict[str, Any]
    access_token: dict[str, Any]
    id_token: dict[str, Any]
    userinfo: dict[str, Any]


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(subject_type="pairwise")


@pytest.fixture
def signed_in(visitor: Visitor, alice: Account) -> Visitor:
    visitor.sign_in("alice", PASSWORD)
    return visitor


def read(server: Server, visitor: Visitor, tokens: dict[str, Any]) -> Signed:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    userinfo = visitor.get("/oauth2/userinfo", headers=headers).json()
    return Signed(
        tokens, claims(server, tokens["access_token"]), claims(server, tokens["id_token"]), dict(userinfo)
    )


def signs_in(server: Server, app: App, visitor: Visitor, **more: str) -> Signed:
    """`redirect_uri` as registered: every app of these tests has the same one, its sector differs."""
    answer = app.exchange(visitor, app.code(visitor, **more))
    assert answer.status_code == 200, answer.text
    return read(server, visitor, answer.json())


def elsewhere(make_app: MakeApp, name: str, sector: str) -> App:
    uri = f"https://{sector}/redirect-uris.json"
    return make_app(client_id=name, subject_type="pairwise", sector_identifier_uri=uri)


def test_every_token_and_userinfo_carry_the_same_pairwise_subject(
    server: Server, app: App, signed_in: Visitor, alice: Account
) -> None:
    first = signs_in(server, app, signed_in)
    sub = first.id_token["sub"]
    assert sub != alice.id
    assert first.access_token["sub"] == first.userinfo["sub"] == sub
    again = read(server, signed_in, app.refresh(signed_in, first.tokens["refresh_token"]).json())
    assert again.id_token["sub"] == again.access_token["sub"] == again.userinfo["sub"] == sub
    assert signs_in(server, app, signed_in).id_token["sub"] == sub


@SQLITE_ONLY
def test_account_id_stands_nowhere_in_what_the_app_gets(
    server: Server, app: App, signed_in: Visitor, alice: Account
) -> None:
    signed = signs_in(server, app, signed_in, scope="openid profile email roles offline_access")
    assert alice.id not in str(signed)
    for token in (signed.tokens["access_token"], signed.tokens["refresh_token"]):
        told = introspected(app, signed_in, token)
        assert told["sub"] == signed.id_token["sub"]
        assert alice.id not in str(told)


def test_two_sectors_know_a_person_by_two_names_and_one_sector_by_one(
    server: Server, make_app: MakeApp, signed_in: Visitor
) -> None:
    one, sibling, other = (
        elsewhere(make_app, "one", "a.example"),
        elsewhere(make_app, "sibling", "a.example"),
        elsewhere(make_app, "other", "b.example"),
    )
    first, second, third = (
        signs_in(server, each, signed_in).id_token["sub"] for each in (one, sibling, other)
    )
    assert first == second != third


@SQLITE_ONLY
def test_two_people_have_two_names_in_one_sector(server: Server, app: App, signed_in: Visitor) -> None:
    first = signs_in(server, app, signed_in).id_token["sub"]
    add_account(server, "bob")
    signed_in.http.cookies.clear()
    signed_in.sign_in("bob", PASSWORD)
    assert signs_in(server, app, signed_in).id_token["sub"] != first


@SQLITE_ONLY
def test_public_client_goes_on_with_the_accounts_own_id(
    server: Server, make_app: MakeApp, signed_in: Visitor, alice: Account
) -> None:
    assert signs_in(server, make_app(), signed_in).id_token["sub"] == alice.id
    names = server.capabilities.database.read(lambda db: store.of_account(db, alice.id))
    assert names == []


@SQLITE_ONLY
@pytest.mark.parametrize(
    ("redirect_uri", "sector_uri", "sector"),
    [
        ("https://orders.example:8443/callback", None, "orders.example"),
        ("https://orders.example/callback", "https://sector.example/uris.json", "sector.example"),
        ("http://[::1]:9000/callback", None, "::1"),
        ("com.example.app:/callback", None, "com.example.app"),
    ],
)
def test_sector_is_a_host(make_app: MakeApp, redirect_uri: str, sector_uri: str | None, sector: str) -> None:
    app = make_app(redirect_uris=(redirect_uri,), subject_type="pairwise", sector_identifier_uri=sector_uri)
    assert sector_of(app.client) == sector


def test_sign_out_everywhere_ends_tokens_under_every_name(
    server: Server, make_app: MakeApp, signed_in: Visitor, alice: Account
) -> None:
    apps = [elsewhere(make_app, name, f"{name}.example") for name in ("one", "other")]
    offline = [signs_in(server, each, signed_in, scope="openid offline_access") for each in apps]
    parts = server.capabilities
    parts.database.write(lambda db: parts.consequences.sign_out(db, alice, parts.clock.now()))
    server.follow()
    for app, signed in zip(apps, offline, strict=True):
        assert "sid" not in signed.access_token, "so that only `sub` can end it"
        assert introspected(app, signed_in, signed.tokens["access_token"]) == {"active": False}
        headers = {"Authorization": f"Bearer {signed.tokens['access_token']}"}
        assert signed_in.get("/oauth2/userinfo", headers=headers).status_code == 401
    known = server.revocations.known
    assert known is not None
    listed = {entry.value for entry in known.entries if entry.kind is Kind.SUB}
    assert listed == {alice.id, *(signed.access_token["sub"] for signed in offline)}


@SQLITE_ONLY
def test_role_that_was_taken_away_ends_tokens_under_every_name(
    server: Server, app: App, signed_in: Visitor, alice: Account
) -> None:
    signed, parts = signs_in(server, app, signed_in), server.capabilities
    parts.database.write(lambda db: parts.consequences.set_roles(db, alice, ("user",), parts.clock.now()))
    server.follow()
    assert introspected(app, signed_in, signed.tokens["access_token"]) == {"active": False}


@SQLITE_ONLY
def test_pairwise_hint_names_the_person_and_nobody_elses_does(
    server: Server, app: App, signed_in: Visitor
) -> None:
    hint = signs_in(server, app, signed_in).tokens["id_token"]
    assert "code" in returned(app.authorize(signed_in, id_token_hint=hint, prompt="none"))
    add_account(server, "bob")
    signed_in.http.cookies.clear()
    signed_in.sign_in("bob", PASSWORD)
    silent = returned(app.authorize(signed_in, id_token_hint=hint, prompt="none"))
    assert silent["error"] == "login_required"
    assert on_the_way(app.authorize(signed_in, id_token_hint=hint))[0] == "/login"


@SQLITE_ONLY
def test_claims_name_a_person_by_the_sectors_name_alone(
    server: Server, make_app: MakeApp, signed_in: Visitor, alice: Account
) -> None:
    """Else an app could ask whether its person is the one whom another app knows by that name."""
    one, other = elsewhere(make_app, "one", "a.example"), elsewhere(make_app, "other", "b.example")
    own, others = (signs_in(server, each, signed_in).id_token["sub"] for each in (one, other))
    for sub, answered in ((own, True), (others, False), (alice.id, False)):
        asked = f'{{"id_token":{{"sub":{{"value":"{sub}"}}}}}}'
        answer = returned(one.authorize(signed_in, claims=asked, prompt="none"))
        assert ("code" in answer) is answered, answer


def test_several_who_need_a_name_at_once_get_the_same(server: Server, alice: Account) -> None:
    database, now = server.capabilities.database, server.capabilities.clock.now()

    def name(_number: int) -> str:
        return database.write(lambda db: store.subject(db, alice.id, "a.example", now=now))

    with ThreadPoolExecutor(4) as threads:
        [made] = set(threads.map(name, range(12)))
    assert database.read(lambda db: store.of_account(db, alice.id)) == [made]
    assert database.read(lambda db: store.account_id(db, made, "a.example")) == alice.id
    assert database.read(lambda db: store.account_id(db, made, "b.example")) is None
