"""`python3 dev.py`, the first command that anybody types here: which words mean what."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev_py", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ([], ("run", [])),
        (["--port", "18000"], ("run", ["--port", "18000"])),
        (["--no-apps"], ("run", ["--no-apps"])),
        (["run", "--port", "18000"], ("run", ["--port", "18000"])),
        (["test", "-k", "x"], ("test", ["-k", "x"])),
        (["--help"], ("--help", [])),
        (["-h"], ("-h", [])),
    ],
)
def test_an_option_in_front_is_one_of_the_login_service(
    program: ModuleType, words: list[str], meant: tuple[str, list[str]]
) -> None:
    assert program.chosen(words) == meant


def test_an_unknown_verb_is_refused_before_anything_is_installed(
    program: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(["start"]) == 2
    assert "choose one of" in capsys.readouterr().err


def test_its_help_names_the_port(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--help"]) == 0
    assert "--port" in capsys.readouterr().out
