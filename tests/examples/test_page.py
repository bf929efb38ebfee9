"""The page's files: which addresses the script may talk to, and that both languages say the same things."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from examples.page.app import HERE, LOGIN_SERVICE, ORDERS_API, app

client = TestClient(app)


def test_the_script_may_talk_to_the_login_service_and_the_api_alone() -> None:
    answer = client.get("/")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["connect-src"] == f"{LOGIN_SERVICE} {ORDERS_API}"
    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert "onclick" not in answer.text
    assert "<script>" not in answer.text


ADDRESSES = [
    "/index.html",
    "//index.html",
    "/./index.html",
    "/%69ndex.html",
    "/page.js",
    "/addresses.js",
    "/nowhere",
]


@pytest.mark.parametrize("path", ADDRESSES)
def test_no_address_of_the_page_is_without_its_policy(path: str) -> None:
    home, answer = client.get("/"), client.get(f"{client.base_url}{path}")
    for name in ("content-security-policy", "cache-control", "x-content-type-options"):
        assert answer.headers.get_list(name) == home.headers.get_list(name) != []


def test_the_script_learns_the_addresses() -> None:
    answer = client.get("/addresses.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.text == (
        f'export const LOGIN_SERVICE = "{LOGIN_SERVICE}";\nexport const ORDERS_API = "{ORDERS_API}";\n'
    )


def test_only_the_pages_own_files_are_served() -> None:
    for path in ("/page.js", "/words.js", "/look/style.css", "/look/icon.svg"):
        assert client.get(path).status_code == 200
    for path in ("/app.py", "/README.md", "/look/../app.py", "/look/%2e%2e/page/app.py", "/%2e%2e/app.py"):
        assert client.get(path).status_code == 404


def test_the_script_never_writes_html() -> None:
    """What people order is text."""
    for file in sorted((HERE / "site").glob("*.js")):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", file.read_text()
        )


def words(file: Path) -> dict[str, set[str]]:
    blocks = re.findall(r"^  (\w+): \{\n(.*?)^  \}", file.read_text(), re.MULTILINE | re.DOTALL)
    return {language: set(re.findall(r"^    (\w+):", block, re.MULTILINE)) for language, block in blocks}


def test_both_languages_have_every_word() -> None:
    found = words(HERE / "site" / "words.js")
    html, script = ((HERE / "site" / name).read_text() for name in ("index.html", "page.js"))
    used = set(re.findall(r'data-word="(\w+)"', html)) | set(re.findall(r"[^/]\bwords\.(\w+)", script))
    assert found["en"] == found["ko"]
    assert used == found["en"]


def test_nobody_reads_of_tokens() -> None:
    """What the API answers is for programs; a person has never seen a token."""
    assert "토큰" not in (HERE / "site" / "words.js").read_text()
    assert "said.message" not in (HERE / "site" / "page.js").read_text()
