"""What docs/services and docs/ko say is true: every code block runs, every table is the code's own."""

import json
import re
import subprocess
import sys
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

import pytest

from authserver.resource import Guard, Reason, Refusal
from authserver.resource.answer import answer_to
from authserver.resource.explanation import TEXTS
from tests.docs.page import BLOCK

DOCS = Path(__file__).parents[2] / "docs"
INDEX = DOCS / "services" / "README.md"
FRESHNESS = DOCS / "services" / "freshness-and-health.md"
KOREAN = DOCS / "ko" / "시작하기.md"
PAGES = [*sorted((DOCS / "services").glob("*.md")), KOREAN]


@pytest.mark.parametrize("page", [page for page in PAGES if page != INDEX], ids=lambda page: page.stem)
def test_the_code_of_a_page_runs_and_its_tests_pass(page: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.docs.page", str(page)]
    done = subprocess.run(command, cwd=DOCS.parent, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_code_block_stands_unrun(page: Path) -> None:
    text = page.read_text()
    assert text.count("```python") == len(BLOCK.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target, _, heading in re.findall(r"\]\(([^)#]*)(#([\w-]+))?\)", page.read_text()):
        linked = page.parent / target if target else page
        assert linked.is_file(), target
        headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
        assert not heading or heading in {name.lower().replace(" ", "-") for name in headings}


def rows(text: str, columns: int) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if len(row) == columns]


def test_the_options_are_the_guards_own() -> None:
    section = INDEX.read_text().split("## Options")[1].split("## ")[0]
    documented = re.findall(r"^\| `(\w+)` \| (?:`(.+?)` )?\|", section, re.MULTILINE)
    actual = [
        (name, "" if parameter.default is Parameter.empty else shown(parameter.default))
        for name, parameter in signature(Guard).parameters.items()
    ]
    assert documented == actual


def shown(default: Any) -> str:
    return str(default.__name__) if callable(default) else str(default)


def test_the_answers_are_the_guards_own() -> None:
    actual = []
    for reason in Reason:
        english, korean = (answer_to(Refusal(reason), realm="x", accept_language=tag) for tag in ("en", "ko"))
        actual.append(
            [
                f"`{reason}`",
                str(english.status),
                f"`{english.body['error']}`",
                english.body["message"],
                korean.body["message"],
            ]
        )
    assert rows(INDEX.read_text(), columns=5) == actual


def test_the_codes_of_explanations_are_the_guards_own() -> None:
    section = FRESHNESS.read_text().split("## Why exactly")[1].split("\n## ")[0]
    told = re.findall(r"^\| `([\w:]+)` \| (.*) \|$", section, re.MULTILINE)
    assert len(told) == 10
    for code, facts in told:
        prefix, _, _ = code.partition(":")
        assert {code, *(f"{prefix}{more}" for more in re.findall(r"`(:\w+)`", facts))} <= set(TEXTS)


def test_the_answers_in_korean_are_the_guards_own() -> None:
    found = re.findall(r"\| (\d{3}) \| `(\{.+?\})` \|", KOREAN.read_text())
    actual = {
        (str(answer.status), answer.content.decode())
        for answer in (answer_to(Refusal(reason), realm="x", accept_language="ko") for reason in Reason)
    }
    assert len(found) == 6
    assert set(found) <= actual
    assert all(json.loads(body)["message"] for _, body in found)
