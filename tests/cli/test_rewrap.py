"""`authserver keys rewrap`: a new key-encryption key, and the old one forgotten."""

import json

import pytest

from tests.cli.conftest import Cli, on_sqlite
from tests.conftest import KEK

OTHER_KEK = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="


@pytest.mark.parametrize("key_store", ["files", "database"])
def test_rewrapped_keys_open_with_the_new_key_encryption_key_alone(cli: Cli, key_store: str) -> None:
    cli.env["AUTHSERVER_KEY_STORE"] = key_store
    cli("keys", "rotate")
    cli.env["AUTHSERVER_KEY_ENCRYPTION_KEY"] = OTHER_KEK
    cli.env["AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS"] = json.dumps([KEK])
    would = cli.facts("keys", "rewrap", "--dry-run")["rewrapped"]
    assert sorted(cli.facts("keys", "rewrap")["rewrapped"]) == sorted(would)
    assert len(would) == 2
    cli.env["AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS"] = "[]"
    assert cli.facts("keys", "rewrap")["rewrapped"] == []
    assert cli.facts("audit", "list", "--event", "key.rewrapped")["entries"][0]["actor"] == "operator"


@on_sqlite
def test_rewrapping_into_the_clear_is_refused(cli: Cli, first: str) -> None:
    cli.env["AUTHSERVER_KEY_ENCRYPTION_KEY"] = None
    cli.env["AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS"] = json.dumps([KEK])
    assert "would be written in the clear" in cli.refusal("keys", "rewrap", code=2)


@on_sqlite
def test_key_that_cannot_be_opened_is_named_with_what_to_do(cli: Cli, first: str) -> None:
    cli.env["AUTHSERVER_KEY_ENCRYPTION_KEY"] = OTHER_KEK
    assert "previous_key_encryption_keys" in cli.refusal("keys", "rewrap")
