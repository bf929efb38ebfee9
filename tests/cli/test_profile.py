"""`authserver account profile`."""

from pathlib import Path

import pytest

from authserver.database import Database
from tests.cli.conftest import Cli, everything, on_sqlite

VERB = ("account", "profile", "alice")


@pytest.fixture(autouse=True)
def alice(cli: Cli) -> None:
    assert cli("account", "create", "alice").exit_code == 0


def test_profile_is_changed_shown_and_noted(cli: Cli) -> None:
    changed = cli.facts(
        *VERB,
        *("--email", "alice@Example.com", "--name", "홍길동", "--claim", "address.country=KR"),
        *("--claim", "email_verified=true", "--group", "press", "--group", "editors"),
    )["profile"]
    assert changed == {
        "claims": {
            "email": "alice@example.com",
            "email_verified": True,
            "name": "홍길동",
            "address": {"country": "KR"},
            "updated_at": 1_795_424_400,
        },
        "groups": ["editors", "press"],
    }
    assert cli.facts(*VERB)["profile"] == changed
    entry = cli.facts("audit", "list", "--limit", "1")["entries"][0]
    assert entry["event"] == "account.profile_changed"
    assert entry["detail"] == {
        "claims": ["address", "email", "email_verified", "name"],
        "groups": ["editors", "press"],
    }


@on_sqlite
def test_profile_is_shown_to_a_person(cli: Cli) -> None:
    assert "Nothing is known of alice yet." in cli(*VERB).stdout
    cli(*VERB, "--email", "alice@example.com", "--claim", "address.locality=Seoul", "--group", "press")
    shown = cli(*VERB).stdout
    for words in ("alice@example.com", "address.locality", "Seoul", "groups", "press", "updated_at"):
        assert words in shown


def test_change_leaves_what_it_does_not_name(cli: Cli) -> None:
    cli(*VERB, "--email", "alice@example.com", "--claim", "address.locality=Seoul", "--group", "press")
    cli(*VERB, "--claim", "address.country=KR", "--claim", "nickname=Al")
    profile = cli.facts(*VERB)["profile"]
    assert profile["claims"]["address"] == {"locality": "Seoul", "country": "KR"}
    assert profile["claims"]["email"] == "alice@example.com"
    assert profile["groups"] == ["press"]


@on_sqlite
def test_empty_value_takes_a_claim_away(cli: Cli) -> None:
    cli(*VERB, "--email", "a@example.com", "--claim", "address.locality=Seoul", "--claim", "nickname=Al")
    cli(*VERB, "--email", "", "--claim", "address.locality=", "--claim", "nickname=")
    assert set(cli.facts(*VERB)["profile"]["claims"]) == {"updated_at"}
    cli(*VERB, "--group", "press")
    assert cli.facts(*VERB, "--no-groups")["profile"]["groups"] == []


def test_dry_run_changes_nothing(cli: Cli, database: Database, tmp_path: Path) -> None:
    before = everything(database, tmp_path)
    told = cli.facts(*VERB, "--email", "alice@example.com", "--dry-run")
    assert told["profile"]["claims"]["email"] == "alice@example.com"
    assert told["dry_run"] is True
    assert everything(database, tmp_path) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--email", "alice"), "email is an address like"),
        (("--claim", "nonsense"), "write a claim as"),
        (("--claim", "sub=x"), "'sub' is no claim that can be set"),
        (("--claim", "email_verified=yes"), "email_verified is true or false"),
        (("--claim", "email_verified=true"), "there is none"),
        (("--claim", "address.planet=Earth"), "address has members of these"),
        (("--email", "a@example.com", "--claim", "email=b@example.com"), "given twice"),
        (("--group", "a b"), "a group has"),
        (("--group", "a", "--no-groups"), "not both"),
    ],
)
@on_sqlite
def test_what_cannot_be_is_refused(cli: Cli, words: tuple[str, ...], said: str) -> None:
    assert said in cli.refusal(*VERB, *words, code=2)
    assert cli.facts(*VERB)["profile"] == {"claims": {}, "groups": []}


@on_sqlite
def test_unknown_account_is_refused(cli: Cli) -> None:
    for more in ((), ("--email", "a@example.com")):
        assert "there is no account nobody" in cli.refusal("account", "profile", "nobody", *more)


def test_account_is_created_with_its_address_and_name(cli: Cli) -> None:
    cli("account", "create", "bob", "--email", "bob@example.com", "--name", "Bob Park")
    claims = cli.facts("account", "profile", "bob")["profile"]["claims"]
    assert (claims["email"], claims["name"]) == ("bob@example.com", "Bob Park")


@on_sqlite
def test_account_is_not_created_with_an_address_that_is_none(cli: Cli) -> None:
    cli.refusal("account", "create", "carol", "--email", "carol", code=2)
    cli.refusal("account", "show", "carol")
