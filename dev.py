#!/usr/bin/env python3
"""From a bare clone to a running login service, with nothing but Python 3.11+.

    python3 dev.py [--port N …]    run the login service with demo data and three apps (authserver dev)
    python3 dev.py test [ARGS]     run every test (pytest)
    python3 dev.py check           format, lint, types, layers
    python3 dev.py bench [ARGS]    the measured ratios (benchmarks/)
    python3 dev.py lock            write requirements/*.lock anew (maintainers; needs uv)

The first run makes `.venv/` and installs the hash-locked `requirements/dev.lock` into it;
later runs start at once, until the lock or `pyproject.toml` changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements" / "dev.lock"
STAMP = VENV / "installed.sha256"

NO_PIP = """This Python can make no virtual environment with pip in it.
On Debian or Ubuntu:  apt-get install python3-venv
Elsewhere: install pip for this Python, or put `uv` on the PATH. Then run the command again."""


def main(arguments: list[str]) -> int:
    verb, rest = chosen(arguments)
    if verb in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    task = TASKS.get(verb)
    if task is None:
        print(f"dev.py: there is no {verb!r}; choose one of: {', '.join(TASKS)}", file=sys.stderr)
        return 2
    if verb != "lock":
        install()
    return task(rest)


def chosen(arguments: list[str]) -> tuple[str, list[str]]:
    """A verb and its words; an option in front belongs to `run`, which needs no name."""
    if not arguments or (arguments[0].startswith("--") and arguments[0] != "--help"):
        return "run", arguments
    return arguments[0], arguments[1:]


# --- tasks ---------------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    command = [str(PYTHON), "-m", "authserver", "dev", *arguments]
    if os.name == "posix":  # become the service, so that whoever ends this process ends the service
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606 - our own interpreter
    return call(*command)


def test(arguments: list[str]) -> int:
    return call(PYTHON, "-m", "pytest", *(arguments or ["-n", "auto"]))


def check(_arguments: list[str]) -> int:
    """All of them, even if the first fails: one run shows everything there is to mend (layers are in the last)."""
    checks = (
        (BIN / "ruff", "format", "--check", "."),
        (BIN / "ruff", "check", "."),
        (PYTHON, "-m", "mypy"),
        (PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture"),
    )
    codes = [call(*command) for command in checks]
    return max(codes)


def bench(arguments: list[str]) -> int:
    return call(PYTHON, "-m", "benchmarks", *arguments)


def lock(_arguments: list[str]) -> int:
    """Hashes, and no index address: what `pip --require-hashes` accepts from any mirror."""
    shared = (
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "-q",
    )
    for name, extras in {"runtime": ("server", "postgres"), "dev": ("dev",)}.items():
        chosen = [part for extra in extras for part in ("--extra", extra)]
        target = f"requirements/{name}.lock"
        code = call("uv", "pip", "compile", *shared, "--upgrade", *chosen, "pyproject.toml", "-o", target)
        if code:
            return code
    return 0


TASKS = {"run": run, "test": test, "check": check, "bench": bench, "lock": lock}


# --- the environment -----------------------------------------------------------------------


def install() -> None:
    wanted = hashlib.sha256(
        LOCK.read_bytes() + (ROOT / "pyproject.toml").read_bytes() + sys.version.encode()
    ).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have an older one
        raise SystemExit(f"authserver needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    print(
        "dev.py: installing into .venv (the first time takes about half a minute) …",
        file=sys.stderr,
        flush=True,
    )
    pip = make_environment()
    must(*pip, "install", "--require-hashes", "-r", LOCK)
    must(*pip, "install", "--no-deps", *no_isolation(pip), "-e", ROOT)
    STAMP.write_text(wanted)


def make_environment() -> tuple[str | Path, ...]:
    """Make `.venv` and answer the pip command that installs into it, by the first way that works."""
    quiet = ("--quiet", "--disable-pip-version-check")
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except subprocess.CalledProcessError:  # Debian without python3-venv: no ensurepip
        shutil.rmtree(VENV, ignore_errors=True)
        venv.create(VENV, with_pip=False)
    else:
        return (PYTHON, "-m", "pip", *quiet)
    if (
        call(sys.executable, "-m", "pip", "--version", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        == 0
    ):
        return (sys.executable, "-m", "pip", "--python", PYTHON, *quiet)
    if shutil.which("uv"):
        os.environ["VIRTUAL_ENV"] = str(VENV)
        return ("uv", "pip")
    shutil.rmtree(VENV, ignore_errors=True)
    raise SystemExit(NO_PIP)


def no_isolation(pip: tuple[str | Path, ...]) -> tuple[str, ...]:
    """Hatchling is in the lock: building with it keeps every installed byte behind a hash."""
    return () if pip[0] == sys.executable else ("--no-build-isolation",)


def must(*command: str | Path) -> None:
    code = call(*command)
    if code:
        raise SystemExit(f"dev.py: this failed with exit code {code}: {' '.join(map(str, command))}")


def call(*command: str | Path, **options: object) -> int:
    try:
        return subprocess.run([str(part) for part in command], cwd=ROOT, check=False, **options).returncode  # type: ignore[call-overload, no-any-return]
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
