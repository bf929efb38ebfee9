"""`authserver serve`: it refuses to run half done, and runs with two workers."""

import json
from pathlib import Path

from tests.conftest import ISSUER, KEK
from tests.databases import sqlite_url
from tests.processes import COMMAND, HOST, free_ports, running, status, until


def test_two_workers_serve_one_keyring(tmp_path: Path, sqlite_template: Path) -> None:
    sqlite_url(sqlite_template, tmp_path)
    port, log = free_ports(), tmp_path / "output.log"
    words = ("serve", "--port", str(port), "--workers", "2", "--data", str(tmp_path))
    with running(words, log, {"issuer": ISSUER, "key_encryption_key": KEK}):
        until(lambda: status(port, "/readyz") == 200, within=30)
        assert status(port, "/.well-known/jwks.json") == 200
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines, "one JSON object a line"
    assert not [line for line in lines if line["level"] in {"error", "critical"}]


def test_without_a_key_encryption_key_it_says_how_to_make_one(tmp_path: Path, sqlite_template: Path) -> None:
    sqlite_url(sqlite_template, tmp_path)
    assert "openssl rand -base64 32" in refusal(tmp_path, {"issuer": ISSUER})


def test_with_an_http_issuer_it_does_not_start(tmp_path: Path) -> None:
    assert "https" in refusal(tmp_path, {"issuer": "http://login.example.com", "key_encryption_key": KEK})


def test_on_a_database_without_tables_it_says_what_to_run(tmp_path: Path) -> None:
    assert "authserver db upgrade" in refusal(tmp_path, {"issuer": ISSUER, "key_encryption_key": KEK})


def test_with_keys_that_others_can_read_it_says_how_to_hide_them(
    tmp_path: Path, sqlite_template: Path
) -> None:
    sqlite_url(sqlite_template, tmp_path)
    (tmp_path / "keys").mkdir(mode=0o755)
    (tmp_path / "keys").chmod(0o755)
    assert "chmod 700" in refusal(tmp_path, {"issuer": ISSUER, "key_encryption_key": KEK})


def refusal(data: Path, settings: dict[str, str]) -> str:
    """Start it, and answer what it says when it ends by itself with exit code 1 or 2."""
    log = data / "refusal.log"
    words = ("serve", "--host", HOST, "--port", str(free_ports()), "--data", str(data))
    with running(words, log, settings) as process:
        assert process.wait(30) in {1, 2}, COMMAND
    return log.read_text()
