"""A server in a process of its own, and libraries that others wrote and that nobody changed."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.processes import QUICK_ROTATION, LoginService, login_service
from tests.real_clients import installed
from tests.real_clients.programs import Program, program

RunProgram = Callable[[str], AbstractContextManager[Program]]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[LoginService]:
    folder = tmp_path_factory.mktemp("site")
    with login_service(folder, sqlite_template, apps=False, **QUICK_ROTATION) as running:
        yield running


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the programs beside their packages: node looks for them there, and the sources stay clean."""
    modules = installed.node_modules()
    folder = tmp_path_factory.mktemp("programs")
    shutil.copytree(installed.HERE, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(modules)
    return folder


@pytest.fixture
def run_program(programs: Path, tmp_path: Path) -> RunProgram:
    node = installed.node()
    return lambda file: program(node, programs / file, tmp_path / "errors.log")
