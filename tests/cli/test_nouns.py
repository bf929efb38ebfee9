"""The shape of the whole command line: help, exit codes, quick answers."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authserver import __version__
from authserver.cli.nouns import NOUNS, app, loaded
from tests.cli.conftest import Cli, on_sqlite
from tests.conftest import KEK

HEAVY = {
    "sqlalchemy",
    "joserfc",
    "cryptography",
    "alembic",
    "pydantic_settings",
    "fastapi",
    "structlog",
    "rich",
}
OURS = [name for name in NOUNS if name not in {"dev", "serve"}]


def verbs() -> Iterator[tuple[str, str, Any]]:
    for name in OURS:
        command = loaded(name)
        for verb, found in getattr(command, "commands", {"": command}).items():
            yield name, verb, found


def test_module_runs_as_a_program() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "authserver", "version", "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout)["version"] == __version__


def test_version_and_help_load_nothing_heavy() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from authserver.cli.nouns import app\n"
        "for words in (['version'], ['--help'], []): assert CliRunner().invoke(app, words).output\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not HEAVY & set(ran.stdout.split())


@on_sqlite
def test_every_verb_helps_with_an_example_that_names_it(cli: Cli) -> None:
    for noun, verb, _ in verbs():
        words = [word for word in (noun, verb) if word]
        assert f"Example: authserver {' '.join(words)}" in " ".join(cli(*words, "--help").stdout.split())


def test_every_verb_takes_the_shared_options() -> None:
    for noun, verb, command in verbs():
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--data", "--config", "--json"} <= options, (noun, verb)


def test_every_verb_that_changes_something_can_be_tried() -> None:
    trying = {
        f"{noun} {verb}"
        for noun, verb, command in verbs()
        if any("--dry-run" in parameter.opts for parameter in command.params)
    }
    assert trying == {
        *(f"keys {verb}" for verb in ("rotate", "revoke", "rewrap", "drill")),
        *(
            f"account {verb}"
            for verb in ("create", "profile", "disable", "enable", "set-password", "set-roles", "sign-out")
        ),
        *(
            f"client {verb}"
            for verb in ("create", "invite", "update", "rotate-secret", "disable", "enable", "delete")
        ),
        *(
            "session end",
            "delivery retry",
            "revocation add",
            "service forget",
            "db upgrade",
            "maintenance run",
        ),
    }


@on_sqlite
def test_nothing_said_shows_the_help(cli: Cli) -> None:
    assert "Commands:" in cli().output
    assert "rotate" in cli("keys").output


@on_sqlite
@pytest.mark.parametrize(
    "words", [("keyz",), ("keys", "rotat"), ("keys", "list", "--nonsense"), ("keys", "revoke")]
)
def test_wrong_usage_is_exit_code_2_in_words_and_in_json(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli(*words).exit_code == 2
    result = cli(*words, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"]


@on_sqlite
def test_argument_that_is_no_text_is_wrong_usage(cli: Cli) -> None:
    assert cli.refusal("session", "end", "\udcff", code=2) == "an argument is not valid UTF-8"


def test_traceback_of_a_mistake_of_ours_has_no_local_variables() -> None:
    assert app.pretty_exceptions_show_locals is False


@on_sqlite
def test_server_that_may_not_start_says_why_in_one_sentence(cli: Cli) -> None:
    cli.env["AUTHSERVER_KEY_ENCRYPTION_KEY"] = None
    result = cli("serve")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: key_encryption_key: ")


@on_sqlite
def test_server_does_not_start_with_a_key_encryption_key_that_others_can_read(
    cli: Cli, tmp_path: Path
) -> None:
    secret = tmp_path / "kek"
    secret.write_text(KEK)
    secret.chmod(0o644)
    cli.env |= {"AUTHSERVER_KEY_ENCRYPTION_KEY": None, "AUTHSERVER_KEY_ENCRYPTION_KEY_FILE": str(secret)}
    result = cli("serve")
    assert result.exit_code == 2
    assert result.stderr == f"Error: key_encryption_key: {secret} can be read by others: chmod 600 {secret}\n"


@on_sqlite
def test_server_on_a_port_that_is_taken_says_so_in_one_sentence(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli("serve", "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: port {port} of 127.0.0.1 is in use: ")
    nowhere = cli("serve", "--host", "192.0.2.1").stderr
    assert nowhere.startswith("Error: port 8000 of 192.0.2.1 cannot be used: ")


@on_sqlite
def test_id_that_begins_with_a_dash_is_no_option(cli: Cli) -> None:
    sid, kid = "-" * 2 + "x" * 20, "-" + "I" * 42
    assert cli.facts("revocation", "add", "sid", sid, "--unknown")["revocation"]["value"] == sid
    assert cli("revocation", "add", "--unknown", "kid", "--", kid).exit_code == 0
    assert f"there is no session {sid} " in cli.refusal("session", "end", sid)
    assert f"there is no key {kid}:" in cli.refusal("keys", "revoke", kid, "--compromised", "--yes")


@on_sqlite
def test_lists_of_commands_are_not_cut_in_mid_sentence(cli: Cli) -> None:
    for words in ((), *((name,) for name in OURS)):
        _, _, listed = cli(*words, "--help").output.partition("Commands:")
        assert "..." not in listed, words
