"""`authserver keys rotate` and `plan`: who lacks the next key is warned about, or waited for."""

import json
from datetime import timedelta
from functools import partial

import pytest

from authserver.database import Database
from tests.attacks.sabotage import execute
from tests.cli.conftest import Cli, on_sqlite
from tests.cli.meanwhile import EventfulClock, stand

SAFE_AFTER = timedelta(minutes=6)  # jwks_max_age + clock_skew


@pytest.fixture
def clock() -> EventfulClock:
    return EventfulClock()


@pytest.fixture
def next_kid(cli: Cli, first: str, clock: EventfulClock) -> str:
    """A next key that may sign."""
    clock.advance(SAFE_AFTER)
    [key] = [key for key in cli.facts("keys", "list")["keys"] if key["state"] == "next"]
    return str(key["kid"])


def active(cli: Cli) -> str:
    return str(next(key["kid"] for key in cli.facts("keys", "list")["keys"] if key["state"] == "active"))


def test_promotion_warns_about_a_service_that_lacks_the_key_and_goes_on(
    cli: Cli, next_kid: str, database: Database, clock: EventfulClock
) -> None:
    stand(database, clock.now(), kids=[next_kid])
    stand(database, clock.now(), instance="two")
    clock.advance(7)
    result = cli("keys", "rotate")
    assert (
        f"Warning: orders (1 of 2 instances, last heard 7 s ago) without the key {next_kid}." in result.stderr
    )
    assert "Warning" not in result.stdout
    assert active(cli) == next_kid


@on_sqlite
def test_warning_is_a_fact_for_a_program_and_nothing_else(
    cli: Cli, next_kid: str, database: Database, clock: EventfulClock
) -> None:
    stand(database, clock.now())
    tried = cli("keys", "rotate", "--dry-run", "--json")
    assert tried.stderr == ""
    assert cli.facts("keys", "rotate")["lacking"] == [
        {"service": "orders", "instances": 1, "lacking": ["one"]}
    ]


@on_sqlite
def test_nobody_is_warned_about_where_everybody_has_the_key(
    cli: Cli, next_kid: str, database: Database, clock: EventfulClock
) -> None:
    stand(database, clock.now(), kids=[next_kid])
    result = cli("keys", "rotate")
    assert result.stderr == ""
    assert "promoted now" in result.stdout


def test_promotion_waits_until_every_living_service_has_the_key(
    cli: Cli, next_kid: str, database: Database, clock: EventfulClock
) -> None:
    for name in ("orders", "billing"):
        stand(database, clock.now(), service=name)
        due = clock.now() + timedelta(seconds=10 if name == "orders" else 20)
        clock.later(due, partial(stand, database, due, service=name, kids=[next_kid]))
    stand(database, clock.now() - timedelta(minutes=5), service="gone")
    began = clock.now()
    result = cli("keys", "rotate", "--wait")
    assert result.exit_code == 0
    assert active(cli) == next_kid
    assert timedelta(seconds=20) <= clock.now() - began <= timedelta(seconds=21)
    assert [line.split()[:3] for line in result.stderr.splitlines()] == [
        ["Waiting", "for", "billing"],
        ["Waiting", "for", "billing"],
    ], "once at the start, once when orders had it"


@pytest.mark.parametrize(
    ("words", "seconds"), [(["--wait"], 60), (["--wait", "5"], 5), (["--wait=2.5"], 2.5)]
)
def test_promotion_that_waited_in_vain_is_refused_and_says_what_to_do(
    cli: Cli, next_kid: str, database: Database, clock: EventfulClock, words: list[str], seconds: float
) -> None:
    stand(database, clock.now())
    before, began = active(cli), clock.now()
    half_way = began + timedelta(seconds=30)
    clock.later(half_way, partial(stand, database, half_way))
    result = cli("keys", "rotate", *words)
    assert result.exit_code == 1
    assert clock.now() - began == timedelta(seconds=seconds)
    last = result.stderr.splitlines()[-1]
    assert f"after {seconds:g} s, orders (1 of 1 instance, last heard" in last
    assert "service forget" in last
    assert active(cli) == before
    [key] = [key for key in cli.facts("keys", "plan")["plan"] if key["event"] == "signs"]
    assert "rotation_period" in key["because"], "and no rotation was scheduled either"


@on_sqlite
def test_dry_run_waits_for_nobody(cli: Cli, next_kid: str, database: Database, clock: EventfulClock) -> None:
    stand(database, clock.now())
    began = clock.now()
    assert cli.facts("keys", "rotate", "--wait", "--dry-run")["outcome"] == "promoted"
    assert clock.now() == began


def upcoming(cli: Cli) -> str:
    return str(next(key["kid"] for key in cli.facts("keys", "list")["keys"] if key["state"] == "next"))


def scheduled(cli: Cli) -> bool:
    [key] = [key for key in cli.facts("keys", "plan")["plan"] if key["event"] == "signs"]
    return "asked for" in key["because"]


def test_wait_that_ends_before_the_safe_date_is_refused_and_schedules_nothing(
    cli: Cli, first: str, database: Database, clock: EventfulClock
) -> None:
    kid, began = upcoming(cli), clock.now()
    stand(database, clock.now(), kids=[kid])
    for words in (("--wait",), ("--wait", "359"), ("--wait", "--dry-run")):
        said = cli.refusal("keys", "rotate", *words)
        assert f"{kid} may not sign before 2026-11-23T09:06:00Z (in 6 min)" in said
        assert "Run `authserver keys rotate --wait` again after that" in said
    assert (active(cli), scheduled(cli), clock.now()) == (first, False, began)


def test_wait_beyond_the_safe_date_promotes_when_the_last_service_has_the_key(
    cli: Cli, first: str, database: Database, clock: EventfulClock
) -> None:
    kid, began = upcoming(cli), clock.now()
    late = began + timedelta(seconds=370)
    for moment in (began + timedelta(seconds=300), began + timedelta(seconds=335), late):
        clock.later(moment, partial(stand, database, moment, kids=[kid] if moment == late else []))
    result = cli("keys", "rotate", "--wait", "400", "--json")
    assert json.loads(result.stdout)["outcome"] == "promoted"
    assert active(cli) == kid
    assert timedelta(seconds=370) <= clock.now() - began <= timedelta(seconds=372)
    assert not scheduled(cli)


@on_sqlite
def test_wait_says_that_it_waits_for_the_date(cli: Cli, first: str) -> None:
    said = cli("keys", "rotate", "--wait", "400").stderr
    assert said.startswith("Waiting for 2026-11-23T09:06:00Z, as a verifier may hold a JWKS without the key")


@on_sqlite
def test_dry_run_of_a_wait_says_what_would_be_true_at_the_safe_date(
    cli: Cli, first: str, clock: EventfulClock
) -> None:
    kid, began = upcoming(cli), clock.now()
    facts = cli.facts("keys", "rotate", "--wait", "400", "--dry-run")
    assert (facts["outcome"], facts["active"]) == ("promoted", kid)
    said = cli("keys", "rotate", "--wait", "400", "--dry-run").stdout
    assert "not before 2026-11-23T09:06:00Z (in 6 min), and once every service has fetched the key:" in said
    assert (active(cli), clock.now()) == (first, began)


@on_sqlite
def test_scheduled_rotation_cannot_be_held_by_a_wait(
    cli: Cli, first: str, database: Database, clock: EventfulClock
) -> None:
    """A server makes it at its date: whoever was told that it waits would be told a lie."""
    cli("keys", "rotate")
    stand(database, clock.now())
    assert "is scheduled for 2026-11-23T09:06:00Z (in 6 min) already" in cli.refusal(
        "keys", "rotate", "--wait", "600"
    )
    assert scheduled(cli)


@on_sqlite
def test_key_that_a_server_promoted_during_the_wait_is_not_followed_by_another(
    cli: Cli, first: str, clock: EventfulClock
) -> None:
    kid = upcoming(cli)
    clock.later(clock.now() + timedelta(seconds=361), lambda: cli("keys", "rotate"))
    assert cli("keys", "rotate", "--wait", "400").exit_code == 0
    assert active(cli) == kid
    assert not scheduled(cli)


@on_sqlite
def test_services_that_have_the_key_are_named_by_a_scheduled_rotation(
    cli: Cli, first: str, database: Database, clock: EventfulClock
) -> None:
    kid = upcoming(cli)
    stand(database, clock.now(), kids=[kid])
    said = cli("keys", "rotate").stdout
    assert f"{kid} has been fetched by every service that has told its name (1)." in said


@on_sqlite
def test_services_that_lack_a_young_key_are_no_trouble_and_those_of_an_old_one_are(
    cli: Cli, first: str, database: Database, clock: EventfulClock
) -> None:
    stand(database, clock.now())
    young = "(1 of 1 instance, last heard now): they will by 2026-11-23T09:06:00Z, there is nothing to do."
    assert young in cli("keys", "plan").stdout
    clock.advance(SAFE_AFTER)
    stand(database, clock.now())
    assert "last heard now), though max-age is over." in cli("keys", "plan").stdout


@on_sqlite
def test_plan_and_a_scheduled_rotation_say_who_lacks_the_key(
    cli: Cli, first: str, database: Database, clock: EventfulClock
) -> None:
    stand(database, clock.now())
    hint = "has not been fetched by orders (1 of 1 instance, last heard now): they will by"
    assert hint in cli("keys", "plan").stdout
    [fetched] = cli.facts("keys", "plan")["fetched"].values()
    assert fetched == [{"service": "orders", "instances": 1, "lacking": ["one"]}]
    assert hint in cli("keys", "rotate").stdout


def test_database_that_does_not_know_services_yet_rotates_all_the_same(
    cli: Cli, next_kid: str, database: Database
) -> None:
    execute(database, "DROP TABLE service_instance")
    result = cli("keys", "rotate")
    assert result.exit_code == 0
    assert "run `authserver db upgrade`" in result.stderr
    assert "is not known" in cli("keys", "plan").stdout
