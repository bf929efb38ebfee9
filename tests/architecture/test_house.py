"""The law of the house that no linter knows: sizes, names, who commits, who sends, who says what it is."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "authserver"
FILES = sorted(file for file in PACKAGE.rglob("*.py") if "_migrations" not in file.parts)
LONGEST_FILE = 300
LONGEST_FUNCTION = 60
ALLOWED_LONG_FILES: dict[str, str] = {}
DRAWERS = {
    "service",
    "services",
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "manager",
    "managers",
    "base",
    "misc",
}


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_of(file: Path) -> str:
    """The file without comments and docstrings."""
    return ast.unparse(ast.parse(file.read_text()))


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_no_file_is_longer_than_300_lines(file: Path) -> None:
    if relative(file) not in ALLOWED_LONG_FILES:
        assert len(file.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_no_function_is_longer_than_60_lines(file: Path) -> None:
    long = {node.name for node in functions(file) if (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION}
    assert not long


def test_the_median_file_is_small() -> None:
    sizes = sorted(len(file.read_text().splitlines()) for file in FILES)
    assert sizes[len(sizes) // 2] <= 110


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_every_module_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


def test_no_room_is_a_drawer() -> None:
    """The command line has a file for each noun, and one of its nouns is `service`."""
    drawers = {relative(file) for file in FILES if file.stem in DRAWERS}
    assert drawers == {"authserver/cli/service.py"}


def test_only_the_database_module_commits() -> None:
    committing = re.compile(r"\.(commit|rollback|begin_nested)\(|\bCOMMIT\b")
    assert [relative(file) for file in FILES if committing.search(code_of(file))] == [
        "authserver/database.py"
    ]


def test_only_stores_and_the_schema_speak_sql() -> None:
    speaking = re.compile(r"\b(select|insert|update|delete|text)\(")
    imports_sql = re.compile(r"from sqlalchemy[\w.]* import [^\n]*\b(select|insert|update|delete|text)\b")
    found = {
        relative(file)
        for file in FILES
        if imports_sql.search(code_of(file)) and speaking.search(code_of(file))
    }
    owners = {name for name in found if name.endswith(("/store.py", "/models.py"))}
    assert found - owners <= {
        "authserver/schema.py",
        "authserver/database.py",
        "authserver/accounts/throttling.py",
        "authserver/accounts/devices.py",
    }


def test_nothing_reads_the_environment_but_settings_and_the_command_line() -> None:
    reading = re.compile(r"\bos\.(environ|getenv)\b|from os import [^\n]*environ")
    found = [relative(file) for file in FILES if reading.search(code_of(file))]
    assert [name for name in found if not name.startswith("authserver/cli/")] in (
        [],
        ["authserver/settings/sources.py"],
    )


def test_nothing_takes_the_time_but_the_clock_and_the_library() -> None:
    taking = re.compile(r"datetime\.now\(|time\.time\(|utcnow\(|\btime\(\)")
    found = [relative(file) for file in FILES if taking.search(code_of(file))]
    outside = ("authserver/resource/", "authserver/cli/")
    assert [name for name in found if not name.startswith(outside)] == ["authserver/clock.py"]


def test_one_place_sends_requests() -> None:
    sending = re.compile(
        r"\burllib\.request\b|\bhttpx2?\b|\bhttp\.client\b|\bsocket\.(create_connection|socket)\b"
    )
    found = [relative(file) for file in FILES if sending.search(code_of(file))]
    assert [name for name in found if not name.startswith("authserver/cli/")] == [
        "authserver/drill/loopback.py",
        "authserver/outgoing/requests.py",
        "authserver/resource/http.py",
    ]


def test_migrations_import_nothing_from_the_package() -> None:
    for file in (ROOT / "migrations" / "versions").glob("*.py"):
        assert "authserver" not in code_of(file)


def test_lock_files_name_no_address() -> None:
    for file in (ROOT / "requirements").glob("*.lock"):
        assert "://" not in file.read_text()


def test_no_private_key_lies_outside_the_tests() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    secret = re.compile(r"-----BEGIN [A-Z ]*PRIVATE|\"d\": ?\"[\w-]{40,}")
    for name in listed:
        file = ROOT / name
        if name and not name.startswith("tests/") and file.is_file() and file.suffix not in {".png", ".lock"}:
            assert not secret.search(file.read_text(errors="replace")), name


def test_a_resource_service_loads_little() -> None:
    """The library without a framework: no server package, no web framework, no database comes along."""
    script = "import sys, authserver.resource, authserver.resource.guard; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    tops = {name.partition(".")[0] for name in loaded}
    assert not tops & {
        "fastapi",
        "starlette",
        "pydantic",
        "sqlalchemy",
        "authlib",
        "jinja2",
        "typer",
        "asyncio",
    }
    own = {name for name in loaded if name.startswith("authserver.")}
    assert all(name.startswith(("authserver.resource", "authserver.protocol")) for name in own)


def test_packages_are_imported_in_the_order_of_their_layers() -> None:
    """import-linter's contracts, as a test: one run of the suite says everything."""
    script = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_tests_have_names_that_say_something() -> None:
    short = [
        f"{file.name}:{node.name}"
        for file in (ROOT / "tests").rglob("test_*.py")
        if file.parent.name != "conformance"  # named as the modules of the OpenID Foundation
        for node in functions(file)
        if node.name.startswith("test_") and node.name.count("_") < 3
    ]
    assert not short
