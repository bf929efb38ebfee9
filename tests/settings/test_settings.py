"""Where settings come from, and which are refused."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authserver.settings import SettingsError, load, missing_for_service
from tests.conftest import ISSUER, KEK


def problem(**chosen: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        load(**{"issuer": ISSUER, **chosen})
    return str(refused.value)


def test_the_command_line_wins_over_the_environment_over_a_file_over_toml_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = tmp_path / "authserver.toml"
    secret = tmp_path / "name"
    secret.write_text("from a file\n")

    def read(**chosen: Any) -> str:
        return load(data=tmp_path, issuer=ISSUER, **chosen).product_name

    assert read() == "Authserver"
    toml.write_text('product_name = "from toml"')
    assert read() == "from toml"
    monkeypatch.setenv("AUTHSERVER_PRODUCT_NAME_FILE", str(secret))
    assert read() == "from a file"
    monkeypatch.setenv("AUTHSERVER_PRODUCT_NAME", "from the environment")
    assert read() == "from the environment"
    assert read(product_name="from the command line") == "from the command line"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("15m", 900), ("1h", 3600), (120, 120)]
)
def test_a_length_of_time_is_written_as_people_do(text: str | int, seconds: int) -> None:
    assert load(issuer=ISSUER, jwks_max_age=text).jwks_max_age == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1x", "-5", "1.5h", "P1D", "٣m", True])
def test_any_other_length_of_time_is_refused(text: object) -> None:
    assert "15m" in problem(jwks_max_age=text)


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"issuer": "http://login.example.com"}, "https"),
        ({"issuer": "https://login.example.com/"}, "without a slash"),
        ({"issuer": "https://login.example.com/auth"}, "without a slash"),
        ({"issuer": "https://user@login.example.com"}, "user name"),
        ({"issuer": "https://LOGIN.example.com"}, "lower case"),
        ({"issuer": "login.example.com"}, "https://login.example.com"),
        ({"issuer": "http://127.0.0.1:8000"}, "https"),
        ({"development": True}, "loopback"),
        ({"cookie_domain": "example.org"}, "would drop the cookie"),
        ({"cookie_domain": "com"}, "top-level"),
        ({"clock_skew": "5s"}, "at least 10 s"),
        ({"access_token_lifetime": "30d"}, "between"),
        ({"jwks_max_age": "0"}, "between"),
        ({"status_list_ttl": "9s"}, "status_list_ttl"),
        ({"status_list_ttl": "61m"}, "access_token_lifetime"),
        ({"rotation_period": "10m"}, "rotation_period"),
        ({"session_idle_timeout": "60d"}, "longer than session_lifetime"),
        ({"session_idle_timeout": "5m"}, "shorter than access_token_lifetime"),
        ({"logo_url": "http://example.com/logo.png"}, "https"),
        ({"accent_color": "blue"}, "#0a7cff"),
        ({"key_encryption_key": "short"}, "openssl rand -base64 32"),
        ({"key_encryption_key": "A" * 43 + "="}, "openssl rand -base64 32"),
        ({"key_encryption_key": KEK, "allow_plaintext_keys": True}, "keep one of the two"),
        ({"database_url": "mysql://localhost/x"}, "postgresql://"),
        ({"database_url": "postgresql://me:hun@ter2@db/auth"}, "%40"),
        ({"no_such_setting": 1}, "there is no such setting"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_with_the_reason(chosen: dict[str, Any], named: str) -> None:
    assert named in problem(**chosen)


def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_ISUER", ISSUER)
    assert "did you mean AUTHSERVER_ISSUER?" in problem()


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHSERVER_KEY_ENCRYPTION_KEY_FILE", "/nowhere/at/all")
    assert "/nowhere/at/all" in problem()


def test_settings_that_are_not_possible_together_come_one_by_one_with_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTHSERVER_ISUER", ISSUER)
    with pytest.raises(SettingsError) as refused:
        load(issuer=ISSUER, clock_skew="1s", cookie_domain="com")
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        "AUTHSERVER_ISUER",
        "cookie_domain",
        "clock_skew",
    ]
    assert refused.value.unusable is not None


def test_a_configuration_file_that_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such configuration file"):
        load(tmp_path / "absent.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("issuer = ")
    with pytest.raises(SettingsError, match=r"broken\.toml"):
        load(broken)


def test_settings_are_frozen_and_hide_their_secrets() -> None:
    settings = load(issuer=ISSUER, key_encryption_key=KEK)
    with pytest.raises(ValueError, match="frozen"):
        settings.issuer = "https://other.example.com"
    assert KEK not in repr(settings)


def test_a_problem_never_repeats_the_secret_it_is_about() -> None:
    assert "hunter2hunter2" not in problem(key_encryption_key="hunter2hunter2")


def test_a_service_insists_on_encrypted_keys_or_an_explicit_choice() -> None:
    assert "key_encryption_key" in missing_for_service(load(issuer=ISSUER))[0]
    assert missing_for_service(load(issuer=ISSUER, allow_plaintext_keys=True)) == []
    assert missing_for_service(load(issuer=ISSUER, key_encryption_key=KEK)) == []


def test_the_cookie_has_the_host_prefix_unless_it_is_for_a_domain() -> None:
    assert load(issuer=ISSUER).token_cookie == "__Host-access_token"
    assert load(issuer=ISSUER, cookie_domain="example.com").token_cookie == "__Secure-access_token"
