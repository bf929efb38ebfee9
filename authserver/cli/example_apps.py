"""The apps that `authserver dev` starts beside the login service, each in a process of its own.

They lie in `examples/` of the repository and, in an installed wheel, in `authserver/_examples`. They are programs of
strangers: told where everybody listens and nothing else, none of our settings and not the demo password.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import Final

from authserver.settings import PREFIX

LOOK_EVERY: Final = 0.1
PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Example:
    """One app. `origin` is also the name of the variable in which every app is told where this one listens."""

    name: str
    folder: str
    origin: str
    place: int  # its port is so many after the login service's
    opens: str = ""  # what to open in a browser
    extra: str = ""  # what the server alone does not install


EXAMPLES: Final = (
    Example("page", "page", "PAGE", 3),
    Example("Flask site", "flask_site", "FLASK_SITE", 2, extra="flask"),
    Example(
        "orders API", "orders_api", "ORDERS_API", 1, opens="/docs  (which loads Swagger UI from the internet)"
    ),
)


def folder(package: Path) -> Path:
    """Where the examples lie: `package` is the folder of `authserver` itself."""
    inside = package / "_examples"
    return inside if inside.is_dir() else package.parent / "examples"


def missing(example: Example, examples: Path, find: Callable[[str], object] = find_spec) -> str:
    """Say why an example cannot be started; nothing when it can."""
    if not (examples / example.folder / "app.py").is_file():
        return "not started: this installation came without examples"
    if example.extra and find(example.extra) is None:
        return f'not started: pip install "authserver[{example.extra}]"'
    return ""


@dataclass(frozen=True, slots=True)
class Running:
    """An app that was started, by the name that people know it by."""

    name: str
    process: "subprocess.Popen[bytes]"


@contextmanager
def running(
    examples: Path, chosen: tuple[Example, ...], origins: Mapping[str, str], on_death: Callable[[str], None]
) -> Iterator[None]:
    """Run the chosen apps inside the block and end them with it.

    :param origins: the variables that the apps are given.
    :param on_death: told once, in another thread, when an app ended that nobody asked to.
    """
    apps: list[Running] = []
    leaving = Event()
    try:
        apps.extend(
            Running(example.name, _start(examples / example.folder / "app.py", origins)) for example in chosen
        )
        Thread(target=_watch, args=(apps, leaving, on_death), daemon=True).start()
        yield
    finally:
        leaving.set()
        _end([app.process for app in apps])


def _start(program: Path, origins: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    ours = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [sys.executable, str(program)]
    quiet = (
        subprocess.DEVNULL
    )  # an app says on stdout where it listens, for whoever starts it alone; we have said it
    return subprocess.Popen(command, env={**ours, **origins}, stdin=quiet, stdout=quiet)  # noqa: S603 - our own


def _watch(apps: list[Running], leaving: Event, on_death: Callable[[str], None]) -> None:
    while not leaving.wait(LOOK_EVERY):
        for app in apps:
            code = app.process.poll()
            if code is not None:
                on_death(f"The {app.name} ended by itself (exit code {code}).")
                return


def _end(processes: "list[subprocess.Popen[bytes]]") -> None:
    """Politely, all at once, and after some patience not politely."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + PATIENCE
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
