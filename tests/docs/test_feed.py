"""The verifier of docs/services/feed.md, as it stands there, against a server; its commands, against a real process."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jwt
import pytest

from authserver.accounts.store import Account
from authserver.app import Server
from authserver.clock import SystemClock
from authserver.protocol.revocation import EVENT, WITH_CUTOFF, Kind
from tests.attacks.marks import SQLITE_ONLY
from tests.clocks import HandClock
from tests.conftest import ISSUER, PASSWORD
from tests.docs.page import BLOCK
from tests.docs.test_status_list import Keys
from tests.docs.test_tour import pattern
from tests.processes import login_service
from tests.visitor import Visitor

PAGE = Path(__file__).parents[2] / "docs" / "services" / "feed.md"
TEXT = PAGE.read_text()


@pytest.fixture
def clock() -> HandClock:
    """PyJWT looks at the real clock."""
    return HandClock(SystemClock().now())


def page_names() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for _, source in BLOCK.findall(TEXT):
        exec(compile(source, str(PAGE), "exec"), names)
    return names


@SQLITE_ONLY
def test_the_verifier_of_the_page_knows_of_a_sign_out(
    server: Server, visitor: Visitor, alice: Account
) -> None:
    keys, asked = Keys(visitor), list[str]()

    def fetch(url: str) -> str:
        asked.append(url.removeprefix(ISSUER))
        server.follow()
        return visitor.get(url).text

    revocations = page_names()["Revocations"](keys, fetch)
    visitor.sign_in(alice.username, PASSWORD)
    token = visitor.cookie("__Host-access_token") or ""
    kid = jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(
        token, keys.get_signing_key_from_jwt(token), algorithms=["RS256", "ES256"], audience=ISSUER
    )
    revocations.follow(wait=0)
    assert not revocations.revoked(claims, kid)
    visitor.post("/logout", json={})
    revocations.follow(wait=0)
    assert revocations.revoked(claims, kid)
    assert [path.partition("?")[0] for path in asked] == ["/revocations"] * 2
    assert "since=" in asked[1]  # a delta was enough


def test_the_page_knows_every_kind_and_the_events_name() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == [str(kind) for kind in Kind]
    assert page_names()["KINDS"] == tuple(Kind)
    assert all(f"`{kind}`" in TEXT.split("`before` stands on ")[1].split(" only")[0] for kind in WITH_CUTOFF)
    assert EVENT in TEXT


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_stream_looks_as_it_does_on_the_page(tmp_path: Path, sqlite_template: Path) -> None:
    found = re.search(r"```console\n\$ (curl .+)\n((?:.*\n)+?)```", TEXT)
    assert found is not None
    with login_service(tmp_path, sqlite_template, apps=False) as service:
        command = found[1].replace(ISSUER, service.origin).replace("--max-time 3", "--max-time 1")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert pattern(found[2]).match(done.stdout), done.stdout
