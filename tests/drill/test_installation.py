"""A drill lives in a folder of its own: nothing of the environment leads it elsewhere, and nothing is left of it."""

from pathlib import Path

import pytest

from authserver.drill.installation import environment_for, installation, settings_for
from authserver.drill.plan import plan_for

TIMING = plan_for(14).timing


def test_settings_of_the_environment_are_not_heard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", "postgresql://somebody@production/accounts")
    monkeypatch.setenv("AUTHSERVER_KEYS_DIRECTORY", "/somewhere/in/production")
    settings = settings_for(tmp_path, 8000, TIMING)
    assert settings.database_address == f"sqlite:///{tmp_path / 'authserver.db'}"
    assert settings.keys_path == tmp_path / "keys"


def test_what_is_started_gets_no_foreign_setting_and_no_proxy() -> None:
    surrounding = {
        "PATH": "/bin",
        "AUTHSERVER_DATABASE_URL": "postgresql://somebody@production/accounts",
        "AUTHSERVER_CONFIG": "/etc/authserver.toml",
        "http_proxy": "http://proxy.example:3128",
        "HTTPS_PROXY": "http://proxy.example:3128",
    }
    environment = environment_for(TIMING, surrounding, demo_password="a secret")
    assert {name for name in environment if not name.startswith("AUTHSERVER_")} == {"PATH"}
    assert environment["AUTHSERVER_CLOCK_SKEW"] == "10"
    assert environment["AUTHSERVER_DEMO_PASSWORD"] == "a secret"
    assert "production" not in "".join(environment.values())
    assert "AUTHSERVER_CONFIG" not in environment


def test_its_folder_is_private_and_gone_afterwards() -> None:
    with installation(TIMING) as place:
        assert place.folder.stat().st_mode & 0o077 == 0
        assert place.ring().keys == ()
    assert not place.folder.exists()


def test_its_folder_goes_even_when_it_fails() -> None:
    with pytest.raises(KeyboardInterrupt), installation(TIMING) as place:
        raise KeyboardInterrupt
    assert not place.folder.exists()
