"""docs/conformance.md says which modules pass: its tables are the tests in tests/conformance, all of them, none skipped."""

import re
from pathlib import Path

import pytest

from tests.conformance import table
from tests.conformance.table import FOLDER, PLANS, modules, tables

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "conformance.md"
TESTS = sorted(file.name for file in FOLDER.glob("test_*.py"))


def test_tables_are_the_tests() -> None:
    """Written anew by: python -m tests.conformance.table."""
    _, heading, rest = PAGE.read_text().partition("\n## ")
    assert f"{heading.strip()} {rest}" == tables()


def test_every_file_of_tests_belongs_to_a_plan() -> None:
    assert sorted(file for _, files in PLANS.values() for file in files) == TESTS


@pytest.mark.parametrize("file", TESTS)
def test_each_module_has_one_test_and_none_is_skipped(file: str) -> None:
    names = [name for name, _, _ in modules(file)]
    assert len(set(names)) == len(names) > 0
    assert not re.search(r"\b(skip|skipif|xfail|importorskip)\b", (FOLDER / file).read_text())


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", PAGE.read_text()):
        assert (DOCS / target).is_file(), target


def test_plans_are_whole() -> None:
    """How many modules each plan has (Basic: 38 with one response type, FAPI: those for any ecosystem)."""
    counts = {title: sum(len(list(modules(file))) for file in files) for title, (_, files) in PLANS.items()}
    assert counts == {
        "Basic OP, Form Post OP": 38,
        "Config OP": 1,
        "RP-Initiated Logout OP": 11,
        "Back-Channel Logout OP": 2,
        "Front-Channel Logout OP": 2,
        "FAPI 2.0 Security Profile Final": 58,
    }
    assert table.module_name("test_oidcc_max_age_1") == "oidcc-max-age-1"
