"""The verifier of docs/services/status-list.md, as it stands there, against a server that really publishes lists."""

from pathlib import Path
from typing import Any

import jwt
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clock import SystemClock
from authserver.settings import PREFIX, Settings
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD, MakeServer
from tests.docs.page import BLOCK
from tests.visitor import Visitor

PAGE = Path(__file__).parents[2] / "docs" / "services" / "status-list.md"


@pytest.fixture
def clock() -> HandClock:
    """PyJWT looks at the real clock."""
    return HandClock(SystemClock().now())


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    return make_server(status_list=True)


class Keys:
    """What `PyJWKClient` does, without a network of its own."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    def get_signing_key_from_jwt(self, token: str) -> jwt.PyJWK:
        found = jwt.PyJWKSet.from_dict(self._visitor.get("/.well-known/jwks.json").json())
        return found[jwt.get_unverified_header(token)["kid"]]


def page_names() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for _, source in BLOCK.findall(PAGE.read_text()):
        exec(compile(source, str(PAGE), "exec"), names)
    return names


@SQLITE_ONLY
def test_the_verifier_of_the_page_knows_of_a_sign_out(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    keys, verifier = Keys(visitor), page_names()["StatusLists"]
    visitor.sign_in(alice.username, PASSWORD)
    token = visitor.cookie("__Host-access_token") or ""
    claims = jwt.decode(
        token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], audience=ISSUER, issuer=ISSUER
    )

    def revoked() -> bool:
        server.live.sign_status_lists()
        return bool(verifier(keys, lambda uri: visitor.get(uri).text).revoked(claims))

    assert not revoked()
    visitor.post("/logout", json={})
    assert revoked()


def test_the_page_names_the_server_by_the_settings_that_exist() -> None:
    named = {line.split("=")[0].split()[-1] for line in PAGE.read_text().splitlines() if "$ export" in line}
    assert named == {f"{PREFIX}STATUS_LIST", f"{PREFIX}STATUS_LIST_TTL"}
    assert named <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
