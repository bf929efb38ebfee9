"""`authserver service`."""

from datetime import timedelta
from pathlib import Path

import pytest

from authserver.database import Database
from tests.cli.conftest import Cli, everything, on_sqlite
from tests.cli.meanwhile import stand
from tests.clocks import HandClock


@pytest.fixture
def next_kid(cli: Cli, first: str) -> str:
    [key] = [key for key in cli.facts("keys", "list")["keys"] if key["state"] == "next"]
    return str(key["kid"])


@on_sqlite
def test_empty_list_says_how_a_service_comes_onto_it(cli: Cli) -> None:
    assert 'Guard(…, service="orders")' in cli("service", "list").stdout
    assert cli.facts("service", "list")["services"] == []


def test_each_service_has_a_line_with_what_matters(
    cli: Cli, next_kid: str, database: Database, clock: HandClock
) -> None:
    stand(database, clock.now(), instance="behind", by="poll")
    cli("revocation", "add", "jti", "token-1", "--wait", "0")
    clock.advance(12)
    stand(database, clock.now(), instance="up-to-date", kids=[next_kid])
    stand(database, clock.now(), service="billing", kids=[next_kid])
    billing, orders = cli.facts("service", "list")["services"]
    assert (billing["service"], billing["alive"], billing["behind"], billing["has_next_key"]) == (
        "billing",
        1,
        0,
        True,
    )
    assert (orders["alive"], orders["silent"], orders["sequence"], orders["behind"]) == (2, 0, 0, 1)
    assert (orders["has_next_key"], orders["last_heard_at"]) == (False, "2026-11-23T09:00:12Z")
    clock.advance(3)
    heading, header, *lines = cli("service", "list").stdout.splitlines()
    assert heading == "The list is at sequence 1."
    assert header.split() == ["SERVICE", "INSTANCES", "BY", "SEQUENCE", "NEXT", "KEY", "LAST", "HEARD"]
    assert [" ".join(line.split()) for line in lines] == [
        "billing 1 stream 1 up to date yes 3 s ago",
        "orders 2 poll, stream 0 1 behind 1 of 2 3 s ago",
    ]


@on_sqlite
def test_each_process_has_a_line_on_demand(
    cli: Cli, next_kid: str, database: Database, clock: HandClock
) -> None:
    stand(database, clock.now())
    clock.advance(100)
    stand(database, clock.now(), instance="two", kids=[next_kid])
    _, _, *lines = cli("service", "list", "--instances").stdout.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "orders one stream 0 up to date 2 min ago no 2 min ago, silent",
        "orders two stream 0 up to date now yes now",
    ]


@on_sqlite
def test_silent_service_is_shown_as_it_was_last(cli: Cli, database: Database, clock: HandClock) -> None:
    stand(database, clock.now())
    clock.advance(timedelta(hours=3))
    assert "0, 1 silent" in cli("service", "list").stdout
    assert "3 h ago" in cli("service", "list").stdout


@on_sqlite
def test_service_that_has_read_a_database_before_its_restore_is_told_apart(
    cli: Cli, database: Database, clock: HandClock
) -> None:
    for name, said in (("ahead", {"sequence": 5}), ("level", {"mark": "of another history"})):
        stand(database, clock.now(), service=name, **said)
    assert cli("service", "list").stdout.count("of another history") == 2


@on_sqlite
def test_name_cannot_command_the_operators_terminal(cli: Cli, database: Database, clock: HandClock) -> None:
    stand(database, clock.now(), service="\x1b[2J", instance="\u202eabc")
    printed = cli("service", "list", "--instances").stdout
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_service_that_is_gone_is_forgotten(cli: Cli, database: Database, clock: HandClock) -> None:
    for number in range(2):
        stand(database, clock.now(), instance=str(number))
    stand(database, clock.now(), service="billing")
    assert cli.facts("service", "forget", "orders")["instances"] == 2
    assert [one["service"] for one in cli.facts("service", "list")["services"]] == ["billing"]
    [entry] = cli.facts("audit", "list", "--event", "service.forgotten")["entries"]
    assert (entry["actor"], entry["detail"]) == ("operator", {"service": "orders", "instances": 2})


@on_sqlite
def test_unknown_service_is_not_forgotten(cli: Cli) -> None:
    assert cli.refusal("service", "forget", "nope") == (
        "no service nope has told its name: `authserver service list` shows them"
    )


def test_dry_run_forgets_nobody(cli: Cli, database: Database, clock: HandClock, tmp_path: Path) -> None:
    stand(database, clock.now())
    before = everything(database, tmp_path)
    assert cli.facts("service", "forget", "orders", "--dry-run")["instances"] == 1
    assert "Forgot orders (1 instance)." in cli("service", "forget", "orders", "--dry-run").stdout
    assert everything(database, tmp_path) == before


@on_sqlite
def test_page_for_services_shows_the_list_as_it_is(
    cli: Cli, next_kid: str, database: Database, clock: HandClock
) -> None:
    cli("revocation", "add", "jti", "token-1")
    stand(database, clock.now(), service="billing", instance="1", by="poll")
    cli("revocation", "add", "jti", "token-2", "--wait", "0")
    stand(database, clock.now(), service="billing", instance="2", kids=[next_kid])
    clock.advance(10)
    for number in range(3):
        stand(database, clock.now(), instance=str(number), kids=[next_kid])
    clock.advance(2)
    page = (Path(__file__).parents[2] / "docs" / "services" / "README.md").read_text()
    shown = page.split("```console\n$ authserver service list\n")[1].split("```")[0]
    assert cli("service", "list").stdout == shown
