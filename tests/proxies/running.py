"""Real proxies of the system's packages, with the configurations of examples/proxies: other addresses, nothing else."""

import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.processes import HOST, until

EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "proxies"
Ports = tuple[int, int, int]  # of the proxy, of authserver, of the app
RunProxy = Callable[[Path, Ports], AbstractContextManager[None]]


@contextmanager
def nginx(folder: Path, ports: Ports) -> Iterator[None]:
    config = (EXAMPLES / "nginx.conf").read_text()
    for written, port in zip((8080, 8000, 9000), ports, strict=True):
        address = f" {HOST}:{written};"
        assert config.count(address) == 1, address
        config = config.replace(address, f" {HOST}:{port};")
    file = folder / "nginx.conf"
    file.write_text(config)
    as_root = ("-g", "user root;") if os.geteuid() == 0 else ()
    with _running((_found("nginx"), "-p", str(folder), "-c", str(file), *as_root), folder, ports[0]):
        yield


@contextmanager
def caddy(folder: Path, ports: Ports) -> Iterator[None]:
    site, authserver, app = (f"{HOST}:{port}" for port in ports)
    chosen = {"SITE": f"http://{site}", "AUTHSERVER": authserver, "APP": app}
    own = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder)}
    command = (_found("caddy"), "run", "--config", str(EXAMPLES / "Caddyfile"), "--adapter", "caddyfile")
    with _running(command, folder, ports[0], os.environ | chosen | own):
        yield


PROXIES: Final[dict[str, RunProxy]] = {"nginx": nginx, "caddy": caddy}


def installed(kind: str) -> str | None:
    """Debian keeps nginx where only root looks."""
    return shutil.which(kind, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _found(kind: str) -> str:
    path = installed(kind)
    if path is None:
        pytest.skip(f"{kind} is not installed")
    return path


@contextmanager
def _running(
    command: tuple[str, ...], folder: Path, port: int, environment: dict[str, str] | None = None
) -> Iterator[None]:
    log = folder / "output.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)

    def listening() -> bool:
        assert process.poll() is None, log.read_text()
        with socket.socket() as trial:
            return trial.connect_ex((HOST, port)) == 0

    try:
        until(listening)
        yield
    finally:
        process.terminate()
        process.wait(10)
