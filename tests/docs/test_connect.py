"""docs/connect: every command on the page is run, and what it registered signs somebody in."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from authserver.app import Server
from tests.cli.conftest import Cli, cli, on_sqlite
from tests.conftest import ISSUER, PASSWORD, MakeServer, add_account
from tests.oauth.conftest import CHALLENGE, VERIFIER
from tests.visitor import Visitor

__all__ = ["cli"]

PAGE = (Path(__file__).parents[2] / "docs" / "connect" / "README.md").read_text()
BLOCK = re.compile(r"<!-- run: (\w+) -->\n```sh\n(.*?)```", re.DOTALL)
KINDS = ("web", "browser", "native", "service", "device")


def commands(kind: str) -> list[list[str]]:
    found = [block.replace("\\\n", " ") for name, block in BLOCK.findall(PAGE) if name == kind]
    return [shlex.split(line)[1:] for block in found for line in block.splitlines() if line.strip()]


@pytest.fixture
def login(make_server: MakeServer) -> Server:
    server = make_server()
    add_account(server, "Alice")
    return server


@pytest.fixture
def person(login: Server, make_visitor: Any) -> Visitor:
    found: Visitor = make_visitor(login)
    found.sign_in("alice", PASSWORD)
    return found


def code_for(person: Visitor, client_id: str, redirect_uri: str) -> str:
    """What an app gets back when its person allows it; consent is given on the page."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": "openid",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    page = person.get("/oauth2/authorize", params=query).headers["location"]
    named = dict(re.findall(r"(client_id|request_uri)=([^&]+)", page))
    fields = {name: value.replace("%3A", ":") for name, value in named.items()}
    back = person.form(page, "/consent", {**fields, "decision": "allow"}).headers["location"]
    answer = person.get(back).headers["location"]
    assert answer.startswith(f"{redirect_uri}?code="), answer
    return str(re.findall(r"code=([^&]+)", answer)[0])


def test_the_page_has_a_command_for_each_kind() -> None:
    assert sorted({name for name, _ in BLOCK.findall(PAGE)}) == sorted(KINDS)


@on_sqlite
def test_web_app_signs_somebody_in_with_its_secret_also_after_it_was_rotated(
    cli: Cli, person: Visitor
) -> None:
    create, rotate = commands("web")
    first, second = cli.facts(*create)["client_secret"], cli.facts(*rotate)["client_secret"]
    for secret in (first, second):
        code = (
            code_for(person, "shop", "https://shop.example.com/callback")
            if secret == first
            else code_again(person)
        )
        fields = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
        fields["redirect_uri"] = "https://shop.example.com/callback"
        assert "id_token" in person.post("/oauth2/token", data=fields, auth=("shop", secret)).json()


def code_again(person: Visitor) -> str:
    """Consent is remembered."""
    query = {
        "response_type": "code",
        "client_id": "shop",
        "scope": "openid",
        "redirect_uri": "https://shop.example.com/callback",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    answer = person.get("/oauth2/authorize", params=query).headers["location"]
    return str(re.findall(r"code=([^&]+)", answer)[0])


@on_sqlite
@pytest.mark.parametrize(
    ("kind", "client_id", "redirect_uri"),
    [
        ("browser", "editor", "https://editor.example.com/"),
        ("native", "notes", "http://127.0.0.1:51004/callback"),
        ("native", "notes", "com.example.notes:/callback"),
    ],
)
def test_app_without_a_secret_signs_somebody_in(
    cli: Cli, person: Visitor, kind: str, client_id: str, redirect_uri: str
) -> None:
    [create] = commands(kind)
    assert "client_secret" not in cli.facts(*create)
    fields = {"grant_type": "authorization_code", "client_id": client_id, "redirect_uri": redirect_uri}
    code = code_for(person, client_id, redirect_uri)
    answer = person.post("/oauth2/token", data={**fields, "code": code, "code_verifier": VERIFIER})
    assert "access_token" in answer.json(), answer.text


@on_sqlite
def test_service_gets_a_token_for_the_api(cli: Cli, login: Server, make_visitor: Any) -> None:
    [create] = commands("service")
    secret = cli.facts(*create)["client_secret"]
    fields = {"grant_type": "client_credentials", "scope": "orders:read"}
    answer = make_visitor(login).post("/oauth2/token", data=fields, auth=("reports", secret))
    assert (answer.status_code, answer.json()["scope"]) == (200, "orders:read")


@on_sqlite
def test_device_gets_a_code_for_its_screen(cli: Cli, login: Server, make_visitor: Any) -> None:
    [create] = commands("device")
    cli.facts(*create)
    answer = make_visitor(login).post("/oauth2/device_authorization", data={"client_id": "tv-app"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["verification_uri"].startswith(ISSUER)
