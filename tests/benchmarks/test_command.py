"""The command as a whole, with its cheapest row and next to no time."""

import json
from pathlib import Path

import pytest

from authserver.accounts.hashing import Parameters
from authserver.capabilities import Outside
from authserver.clock import SystemClock
from authserver.keyring.generation import Generate
from benchmarks.__main__ import ROWS, main


@pytest.fixture
def made_already(generate: Generate) -> Outside:
    return Outside(SystemClock(), generate, Parameters(memory_kib=8, iterations=1, lanes=1))


def test_the_cheapest_row_runs_and_is_written_as_json(
    made_already: Outside, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "found.json"
    code = main(["mint", "--rounds", "1", "--seconds", "0.002", "--json", str(file)], made_already)
    ours, raw = json.loads(file.read_text())
    said = capsys.readouterr().out
    assert code == 0
    assert (ours["work"], ours["subject"], raw["subject"]) == (
        "mint",
        "AccessTokens.mint",
        "cryptography sign",
    )
    assert 0 < ours["ratios"]["cryptography sign"] < 1.5
    assert "mint: share of cryptography sign" in said
    assert "jwks: share of bare ASGI (must at least 0.8, aim 0.95): row not chosen" in said


def test_a_row_that_does_not_exist_is_refused_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["tokens"])
    said = capsys.readouterr().err
    assert refused.value.code == 2
    assert all(name in said for name in ROWS)


@pytest.mark.parametrize(
    "wrong", [["--rounds", "0"], ["--rounds", "many"], ["--seconds", "0"], ["--seconds", "61"]]
)
def test_counts_and_times_are_bounded(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(wrong)
    assert refused.value.code == 2
