"""What docs/services/proxies.md says is what the configurations hold and the server does."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from authserver.app import Server
from authserver.pages.proxy_policy import NAMES
from authserver.pages.verify import IDENTITY
from tests.attacks.marks import SQLITE_ONLY
from tests.proxies.running import EXAMPLES
from tests.visitor import Visitor

TEXT = (Path(__file__).parents[2] / "docs" / "services" / "proxies.md").read_text()
QUOTED = re.findall(r"<!-- from: (\S+) -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)
ASKED = re.findall(r"<!-- ask: (\d{3}) -->\n```http\n(.*?)```", TEXT, re.DOTALL)


def rows(heading: str) -> list[str]:
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)


def test_every_block_is_quoted_or_asked_or_run() -> None:
    marked = len(QUOTED) + len(ASKED) + TEXT.count("<!-- run -->\n```python\n")
    assert TEXT.count("```") == 2 * marked


@pytest.mark.parametrize(("file", "block"), QUOTED)
def test_what_is_quoted_stands_in_the_configuration_that_is_tested(file: str, block: str) -> None:
    assert block in (EXAMPLES / file).read_text()


@SQLITE_ONLY
@pytest.mark.parametrize(("status", "request_"), ASKED)
def test_what_is_asked_is_answered_so(server: Server, visitor: Visitor, status: str, request_: str) -> None:
    line, *headers = request_.strip().split("\n")
    method, target, _ = line.split()
    told = dict(header.split(": ", 1) for header in headers)
    assert visitor.request(method, target, headers=told).status_code == int(status)


def test_the_tables_are_the_servers_own() -> None:
    assert tuple(rows("What the proxy may ask for")) == NAMES
    assert tuple(rows("What the app reads")) == IDENTITY
    assert rows("What it is told") == ["204", "303", "400", "401", "403", "503"]


def test_the_configurations_hand_on_every_header_of_the_table() -> None:
    for file in ("nginx.conf", "Caddyfile"):
        written = (EXAMPLES / file).read_text().split()
        assert all(name in written for name in IDENTITY), file


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
def test_the_caddyfile_is_written_as_caddy_writes_it() -> None:
    written = EXAMPLES / "Caddyfile"
    done = subprocess.run(
        ["caddy", "fmt", str(written)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == written.read_text()


def test_the_way_to_try_them_is_the_one_that_keeps_the_example_apps() -> None:
    """A list in the environment would stand in place of the one that `authserver dev` makes."""
    for file in ("nginx.conf", "Caddyfile"):
        assert "authserver dev --allow-origin http://127.0.0.1:8080" in (EXAMPLES / file).read_text()
    assert "authserver dev --allow-origin http://127.0.0.1:8080" in TEXT
