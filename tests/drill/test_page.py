"""docs/drill.md says what is true: its commands are commands, its table is the code's own, its picture is a run's."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from authserver.cli.nouns import app
from authserver.drill.judgement import Flaw
from authserver.drill.plan import CLOCK_SKEW, MAX_AGE, SHORT_MAX_AGE, plan_for
from authserver.drill.verifiers import KINDS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "drill.md").read_text()
COMMANDS = re.findall(r"^\$ authserver (.+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_can_be_run(command: str) -> None:
    """Its plan at least: test_command.py runs the short form to its end."""
    words = [word for word in command.split() if word != "--json"]
    done = CliRunner().invoke(app, [*words, "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["promotions"] >= 1


def test_the_page_shows_the_command_in_full_short_and_long() -> None:
    assert len(COMMANDS) == 5


def test_the_pages_verifiers_are_those_that_take_part() -> None:
    rows = re.findall(r"^\| (?!verifier|---)(.+?) \|", PAGE, re.MULTILINE)
    assert [row.replace("`", "") for row in rows] == [kind.title for kind in KINDS]


def test_the_page_names_every_flaw() -> None:
    assert all(f"`{flaw.value}`" in PAGE for flaw in Flaw)


def test_the_pages_numbers_are_the_plans() -> None:
    promotion = (MAX_AGE + CLOCK_SKEW).total_seconds()
    assert (
        f"`jwks_max_age` {MAX_AGE.total_seconds():.0f} s ({SHORT_MAX_AGE.total_seconds():.0f} s when" in PAGE
    )
    assert f"`clock_skew` {CLOCK_SKEW.total_seconds():.0f} s" in PAGE
    assert f"a promotion is safe every {promotion:.0f} s" in PAGE
    assert f"by contract {plan_for().contract:.0f} s here" in PAGE


def test_the_pages_picture_is_of_a_run_without_failures() -> None:
    picture = ET.parse(DOCS / "drill.svg").getroot()
    title = picture.find("{http://www.w3.org/2000/svg}title")
    found = re.fullmatch(r"([\d,]+) verifications, 0 failures", str(title.text if title is not None else ""))
    assert found
    assert int(found[1].replace(",", "")) >= 100_000
