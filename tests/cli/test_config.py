"""`authserver config`."""

import json
from pathlib import Path

import pytest

from authserver.database import Database
from authserver.settings import Settings
from tests.attacks.sabotage import execute
from tests.cli.conftest import Cli, on_sqlite
from tests.conftest import KEK

pytestmark = on_sqlite


def shown(cli: Cli) -> dict[str, dict[str, str]]:
    return {setting["name"]: setting for setting in cli.facts("config", "show")["settings"]}


def test_every_setting_is_shown_with_its_name_value_default_and_meaning(cli: Cli) -> None:
    settings = shown(cli)
    assert settings.keys() == {f"AUTHSERVER_{name.upper()}" for name in Settings.model_fields}
    assert all(setting["description"] for setting in settings.values())
    assert settings["AUTHSERVER_ROTATION_PERIOD"]["value"] == "30d"
    assert settings["AUTHSERVER_ISSUER"]["value"] == "https://login.example.com"
    assert settings["AUTHSERVER_ISSUER"]["default"] == "http://127.0.0.1:8000"
    assert settings["AUTHSERVER_ISSUER"]["source"] == "environment"
    assert "AUTHSERVER_JWKS_MAX_AGE" in cli("config", "show").stdout


def test_secrets_are_masked(cli: Cli) -> None:
    cli.env["AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS"] = json.dumps([KEK])
    settings = shown(cli)
    assert settings["AUTHSERVER_KEY_ENCRYPTION_KEY"]["value"] == "********"
    assert settings["AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS"]["value"] == "********"
    cli("config", "show")
    assert KEK not in "".join(cli.printed)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@db.example.com/auth?sslmode=require",
        "postgresql://db.example.com/auth?user=me&password=hunter2&sslmode=require",
        "postgresql://me:a:hunter2@db.example.com/auth",
    ],
)
def test_databases_password_is_masked(cli: Cli, url: str) -> None:
    cli.env["AUTHSERVER_DATABASE_URL"] = url
    assert "db.example.com/auth" in shown(cli)["AUTHSERVER_DATABASE_URL"]["value"]
    cli("config", "show")
    assert "hunter2" not in "".join(cli.printed)


def test_good_settings_pass_the_check(cli: Cli) -> None:
    assert cli.facts("config", "check") == {"ok": True, "problems": []}


def test_settings_that_serve_would_refuse_fail_the_check(cli: Cli) -> None:
    cli.env["AUTHSERVER_KEY_ENCRYPTION_KEY"] = None
    facts = cli.facts("config", "check", code=1)
    assert facts["ok"] is False
    assert facts["problems"][0].startswith("key_encryption_key: ")


def test_every_problem_is_listed(cli: Cli) -> None:
    cli.env |= {"AUTHSERVER_ISSUER": "http://login.example.com", "AUTHSERVER_CLOCK_SKEW": "1s"}
    problems = " ".join(cli.facts("config", "check", code=1)["problems"])
    assert "must be https" in problems
    assert "clock_skew" in problems


def test_every_kind_of_problem_is_listed_at_once(cli: Cli, tmp_path: Path) -> None:
    kek = tmp_path / "kek"
    kek.write_text(json.dumps([KEK]))
    kek.chmod(0o644)
    cli.env |= {
        "AUTHSERVER_ISUER": "https://login.example.com",
        "AUTHSERVER_ISSUER": None,
        "AUTHSERVER_KEY_ENCRYPTION_KEY": None,
        "AUTHSERVER_PREVIOUS_KEY_ENCRYPTION_KEYS_FILE": str(kek),
        "AUTHSERVER_DATABASE_URL": f"sqlite:///{tmp_path}/none.db",
    }
    problems = cli.facts("config", "check", code=1)["problems"]
    assert [problem.partition(": ")[0] for problem in problems] == [
        "AUTHSERVER_ISUER",
        "issuer",
        "key_encryption_key",
        "previous_key_encryption_keys",
        "database",
    ]
    assert problems[-1].endswith("check --data, or run `authserver db upgrade` to make one")
    assert not (tmp_path / "none.db").exists()


def test_database_that_needs_an_upgrade_or_is_away_is_a_problem(cli: Cli, database: Database) -> None:
    execute(database, "UPDATE alembic_version SET version_num = '0001'")
    [problem] = cli.facts("config", "check", code=1)["problems"]
    assert problem.startswith("database: at revision 0001, this release needs ")
    assert problem.endswith("run `authserver db upgrade`")
    cli.env["AUTHSERVER_DATABASE_URL"] = "postgresql+psycopg://me:hunter2@127.0.0.1:1/x"
    [problem] = cli.facts("config", "check", code=1)["problems"]
    assert problem.startswith("database: nothing listens at 127.0.0.1:1")


def test_issuer_that_was_never_set_is_not_called_wrong(cli: Cli) -> None:
    cli.env["AUTHSERVER_ISSUER"] = None
    for words in (("keys", "list"), ("config", "show")):
        said = cli.refusal(*words, code=2)
        assert "AUTHSERVER_ISSUER is not set, and the default is for development only" in said
        assert "--data" in said
    served = cli("serve")
    assert (served.exit_code, "AUTHSERVER_ISSUER is not set" in served.stderr) == (2, True)


def test_each_setting_says_what_set_it(cli: Cli, tmp_path: Path) -> None:
    toml, logo = tmp_path / "authserver.toml", tmp_path / "logo"
    toml.write_text('product_name = "Folder"\naccent_color = "#000"\n')
    logo.write_text("https://www.example.com/logo.png")
    cli.env |= {"AUTHSERVER_ACCENT_COLOR": "#fff", "AUTHSERVER_LOGO_URL_FILE": str(logo)}
    words = ("config", "show", "--data", str(tmp_path), "--json")
    settings = {one["name"]: one["source"] for one in json.loads(cli(*words).stdout)["settings"]}
    assert settings["AUTHSERVER_DATA"] == "command line"
    assert settings["AUTHSERVER_ACCENT_COLOR"] == "environment"
    assert settings["AUTHSERVER_LOGO_URL"] == f"file {logo}"
    assert settings["AUTHSERVER_PRODUCT_NAME"] == f"file {toml}"
    assert settings["AUTHSERVER_CLOCK_SKEW"] == "default"


def test_settings_that_cannot_be_used_stop_every_other_verb(cli: Cli) -> None:
    cli.env["AUTHSERVER_JWKS_MAX_AGE"] = "soon"
    for words in (("config", "show"), ("keys", "list"), ("account", "create", "bob")):
        assert "write a length of time" in cli.refusal(*words, code=2)


def test_misspelt_setting_is_answered_with_the_right_one(cli: Cli) -> None:
    cli.env["AUTHSERVER_ISUER"] = "https://login.example.com"
    assert "did you mean AUTHSERVER_ISSUER" in cli.refusal("keys", "list", code=2)


def test_settings_come_from_the_named_file_and_from_the_data_folder(cli: Cli, tmp_path: Path) -> None:
    cli.env["AUTHSERVER_PRODUCT_NAME"] = None
    (tmp_path / "authserver.toml").write_text('product_name = "Folder"\n')
    (tmp_path / "other.toml").write_text('product_name = "File"\n')
    assert shown(cli)["AUTHSERVER_PRODUCT_NAME"]["value"] == "Folder"
    assert "File" in cli("config", "show", "--config", str(tmp_path / "other.toml")).stdout
    assert "no such configuration file" in cli.refusal("config", "show", "--config", "nowhere.toml", code=2)


def test_data_of_a_development_server_is_reached_by_its_folder_alone(cli: Cli, tmp_path: Path) -> None:
    """`authserver dev` leaves such a file beside its data, so that `--data` is all that the other verbs need."""
    cli.env = {}
    (tmp_path / "authserver.toml").write_text(
        'development = true\nissuer = "http://127.0.0.1:8000"\nallow_plaintext_keys = true\n'
    )
    assert cli("account", "create", "bob", "--data", str(tmp_path)).exit_code == 0
    assert cli.facts("keys", "rotate", "--data", str(tmp_path))["outcome"] == "created"
