"""What set a setting, and which files give a secret away."""

import json
from pathlib import Path

import pytest

from authserver.settings import exposed, provenance
from tests.conftest import KEK


def writable(_: Path) -> bool:
    return False


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "kek"
    file.write_text(KEK)
    monkeypatch.setenv("AUTHSERVER_KEY_ENCRYPTION_KEY_FILE", str(file))
    return file


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_secret_in_a_file_that_others_can_read_is_given_away(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    assert exposed(provenance(), writable) == [
        f"key_encryption_key: {secret} can be read by others: chmod 600 {secret}"
    ]


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_secret_in_a_file_of_ones_own_is_not(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    assert exposed(provenance(), writable) == []


def test_the_mounted_secrets_of_a_container_can_be_used(
    secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker and Kubernetes mount them read-only as 0444, for root or for whoever the container runs as."""
    secret.chmod(0o444)
    assert exposed(provenance(), lambda _: True) == [], "read-only: nobody there could chmod it"
    monkeypatch.setattr("os.geteuid", lambda: 4_711)
    assert exposed(provenance(), writable) == [], "root's file, read by another user"


def test_a_configuration_file_is_a_secret_when_it_holds_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "authserver.toml"
    toml.write_text('product_name = "Shop"\n')
    toml.chmod(0o644)
    assert exposed(provenance(data=tmp_path), writable) == []
    toml.write_text(f"key_encryption_key = {json.dumps(KEK)}\n")
    assert exposed(provenance(data=tmp_path), writable) == [
        f"key_encryption_key: {toml} can be read by others: chmod 600 {toml}"
    ]
    monkeypatch.setenv("AUTHSERVER_KEY_ENCRYPTION_KEY", KEK)
    assert exposed(provenance(data=tmp_path), writable) == [], "what it says is not used"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("postgresql://me@db/auth", False),
        ("postgresql://me@db:5432/auth?sslmode=verify-full", False),
        ("postgresql://me:hunter2@db/auth", True),
        ("postgresql://db/auth?user=me&password=hunter2", True),
    ],
)
def test_the_address_of_a_database_is_a_secret_when_it_has_a_password(
    tmp_path: Path, url: str, secret: bool
) -> None:
    toml = tmp_path / "authserver.toml"
    toml.write_text(f'database_url = "{url}"\n')
    toml.chmod(0o644)
    assert bool(exposed(provenance(data=tmp_path), writable)) is secret
