"""What a change says of who has heard of it: emergency, revocation, sign-out, ended session."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from authserver.database import Database
from tests.attacks.sabotage import execute
from tests.cli.conftest import Cli, on_sqlite
from tests.cli.meanwhile import EventfulClock, stand

Answers = Callable[..., None]


@pytest.fixture
def clock() -> EventfulClock:
    return EventfulClock()


@pytest.fixture
def answers(database: Database, clock: EventfulClock) -> Answers:
    """A service that follows the list, and says so many seconds from now how far it is then."""

    def follow(service: str, *seconds: float) -> None:
        for number, after in enumerate(seconds):
            name = {"service": service, "instance": str(number)}
            stand(database, clock.now(), **name)
            moment = clock.now() + timedelta(seconds=after)
            clock.later(moment, partial(stand, database, moment, **name))

    return follow


def test_emergency_prints_its_time_to_effect_at_each_service(cli: Cli, first: str, answers: Answers) -> None:
    answers("orders", 0.05, 0.14, 0.1)
    answers("billing", 0.31)
    said = cli("keys", "revoke", first, "--compromised", "--yes").stdout.splitlines()
    assert said[-2:] == [
        "billing (1 of 1 instance): refused its tokens after 0.31 s.",
        "orders (3 of 3 instances): refused its tokens after 0.14 s.",
    ]


def test_emergency_names_who_has_not_answered(
    cli: Cli, first: str, answers: Answers, clock: EventfulClock
) -> None:
    answers("orders", 0.14, 3600)
    answers("billing", 3600)
    began = clock.now()
    facts = cli.facts("keys", "revoke", first, "--compromised", "--yes")
    assert facts["heard"] == {
        "services": [
            {"service": "billing", "instances": 1, "heard": 0, "seconds": None, "missing": ["0"]},
            {"service": "orders", "instances": 2, "heard": 1, "seconds": 0.14, "missing": ["1"]},
        ],
        "problem": None,
    }
    assert clock.now() - began == timedelta(seconds=5)


@on_sqlite
def test_emergency_says_in_words_who_has_not_answered(cli: Cli, first: str, answers: Answers) -> None:
    answers("orders", 0.14, 3600)
    answers("billing", 3600)
    said = cli("keys", "revoke", first, "--compromised", "--yes", "--wait", "2").stdout.splitlines()
    silent = "no answer from 1 of {}, last heard 2 s ago."
    both = silent.format("2 instances")
    advice = "It may still accept them: restart it, or `authserver service forget {}` if it is gone."
    assert said[-2:] == [
        f"billing (0 of 1 instance): {silent.format('1 instance')} {advice.format('billing')}",
        f"orders (1 of 2 instances): refused its tokens after 0.14 s; {both} {advice.format('orders')}",
    ]


@on_sqlite
def test_emergency_asks_nobody_where_it_should_not(
    cli: Cli, first: str, answers: Answers, clock: EventfulClock
) -> None:
    answers("orders", 3600)
    began = clock.now()
    assert "heard" not in cli.facts("keys", "revoke", first, "--compromised", "--dry-run")
    assert "heard" not in cli.facts("keys", "revoke", first, "--compromised", "--yes", "--wait", "0")
    assert clock.now() == began


@on_sqlite
def test_emergency_without_named_services_says_that_none_can_tell(
    cli: Cli, first: str, clock: EventfulClock
) -> None:
    began = clock.now()
    assert "No service has told its name" in cli("keys", "revoke", first, "--compromised", "--yes").stdout
    assert clock.now() == began


def test_emergency_is_done_though_nobody_can_say_who_has_heard(
    cli: Cli, first: str, database: Database
) -> None:
    execute(database, "DROP TABLE service_instance")
    result = cli("keys", "revoke", first, "--compromised", "--yes")
    assert result.exit_code == 0
    assert "Who has heard of it is not known: the database cannot say" in result.stdout
    assert [key["state"] for key in cli.facts("keys", "list", "--all")["keys"]].count("compromised") == 1


@on_sqlite
def test_what_was_seen_before_the_database_went_away_is_told(
    cli: Cli, first: str, answers: Answers, database: Database, clock: EventfulClock
) -> None:
    answers("orders", 0.14, 3600)
    away = "ALTER TABLE service_instance RENAME TO away"
    clock.later(clock.now() + timedelta(seconds=1), lambda: execute(database, away))
    heard = cli.facts("keys", "revoke", first, "--compromised", "--yes")["heard"]
    assert heard["services"][0]["seconds"] == 0.14
    assert heard["problem"]


def changes(cli: Cli) -> list[tuple[str, ...]]:
    cli("account", "create", "alice")
    return [
        ("revocation", "add", "jti", "token-1"),
        ("account", "sign-out", "alice"),
        ("account", "set-password", "alice"),
        ("account", "disable", "alice"),
    ]


def test_every_change_that_ends_tokens_says_who_has_heard(
    cli: Cli, answers: Answers, clock: EventfulClock
) -> None:
    for words in changes(cli):
        for service in ("orders", "billing", "search"):
            answers(service, 0.1)
        assert "Heard by 3 of 3 services after 0.10 s." in cli(*words).stdout, words
        clock.advance(1)


@on_sqlite
def test_change_that_some_have_not_heard_of_names_them(cli: Cli, answers: Answers) -> None:
    answers("orders", 0.1)
    answers("billing", 3600, 0.1)
    said = cli("revocation", "add", "jti", "token-1").stdout
    assert "Heard by 1 of 2 services after 0.10 s." in said
    assert "Not yet by: billing (1 of 2 instances, last heard 5 s ago)." in said


@on_sqlite
def test_change_that_ended_nothing_asks_nobody(cli: Cli, answers: Answers, clock: EventfulClock) -> None:
    cli("account", "create", "alice", "--role", "staff")
    cli("account", "disable", "alice")
    answers("orders", 3600)
    began = clock.now()
    for words in (("disable", "alice"), ("enable", "alice"), ("set-roles", "alice", "staff")):
        assert "Heard" not in cli("account", *words).stdout
    assert clock.now() == began


@on_sqlite
def test_change_without_named_services_is_not_commented(cli: Cli) -> None:
    assert "eard" not in cli("revocation", "add", "jti", "token-1").stdout
    assert cli.facts("revocation", "add", "jti", "token-2")["heard"]["services"] == []


@on_sqlite
def test_operator_who_does_not_want_to_wait_still_gets_the_answer(
    cli: Cli, answers: Answers, clock: EventfulClock
) -> None:
    cli("account", "create", "alice")
    answers("orders", 0.1, 3600)

    def interrupt() -> None:
        raise KeyboardInterrupt

    clock.later(clock.now() + timedelta(seconds=1), interrupt)
    result = cli("account", "set-password", "alice")
    assert result.exit_code == 0
    assert "Password: " in result.stdout
    assert "the wait was cut short" in result.stdout


@on_sqlite
def test_wait_without_seconds_leaves_arguments_alone(cli: Cli) -> None:
    assert cli.facts("revocation", "add", "jti", "--wait", "token-1")["revocation"]["value"] == "token-1"
    assert cli("revocation", "add", "--json", "jti", "--", "--wait").exit_code == 0
    assert cli("revocation", "add", "jti", "token-1", "--wait", "-5").exit_code == 2
