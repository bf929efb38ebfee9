"""`authserver dev`: a login service to try, on this machine only, with everything it writes in one folder."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from authserver.cli.demo_account import DEMO, demo_account
from authserver.settings import Settings, load

HOST: Final = "127.0.0.1"
CONFIG: Final = """# Written by `authserver dev`, so that the other commands find the same data: `authserver keys list --data {data}`
development = true
issuer = "{issuer}"
allowed_origins = ["{orders}"]
allow_plaintext_keys = true
log_format = "console"
log_level = "WARNING"
"""
BANNER: Final = """
  authserver {version} is running for development. Stop it with Ctrl-C.

    sign in           {issuer}/login
    demo account      {username}  /  {password}
    your account      {issuer}/account
    demo service      {orders}          (verifies with the public keys alone)
    public keys       {issuer}/.well-known/jwks.json
    revocation list   {issuer}/revocations

  In another terminal:
    {command} keys rotate --data {data}        nobody will notice
    {command} session list --data {data}
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the demo listens, and how to sign in to it."""

    data: Path
    port: int

    @property
    def issuer(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def orders(self) -> str:
        return f"http://{HOST}:{self.port + 1}"


def dev(
    port: Annotated[
        int, typer.Option(help="Port of the login service; the demo service takes the next one.")
    ] = 8000,
    data: Annotated[
        Path, typer.Option(envvar="AUTHSERVER_DATA", help="Folder for everything that it writes.")
    ] = Path(".authserver"),
    apps: Annotated[bool, typer.Option("--apps/--no-apps", help="Start the demo service as well.")] = True,
) -> None:
    """Run a login service with demo data on this machine, to try it.

    Example: authserver dev --port 9000
    """
    demo = Demo(data, port)
    _refuse_taken_ports((port, port + 1) if apps else (port,))
    settings = _prepare(demo)
    _migrate(settings)
    password = demo_account(settings, demo.data)
    _say(demo, password)
    with _demo_service(demo) if apps else nullcontext():
        _serve(settings, port)


def _refuse_taken_ports(ports: tuple[int, ...]) -> None:
    for port in ports:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, port))
            except OSError:
                typer.echo(
                    f"Port {port} is in use; choose another: authserver dev --port {port + 1000}", err=True
                )
                raise typer.Exit(1) from None


def _prepare(demo: Demo) -> Settings:
    """Write the configuration that the other commands read with `--data`, then read it ourselves."""
    demo.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = demo.data / "authserver.toml"
    config.write_text(CONFIG.format(data=demo.data, issuer=demo.issuer, orders=demo.orders), encoding="utf-8")
    return load(config, data=demo.data)


def _migrate(settings: Settings) -> None:
    from authserver import schema  # noqa: PLC0415 - the command line loads what a command needs
    from authserver.cli.db import make_private  # noqa: PLC0415 - as above
    from authserver.database import Database  # noqa: PLC0415 - as above

    make_private(settings.data / "authserver.db")
    database = Database(settings.database_address)
    schema.upgrade(database)
    database.close()


def _say(demo: Demo, password: str) -> None:
    from authserver import __version__  # noqa: PLC0415 - as above

    typer.echo(
        BANNER.format(
            version=__version__,
            issuer=demo.issuer,
            orders=demo.orders,
            username=DEMO,
            password=password,
            data=demo.data,
            command="authserver" if Path(sys.argv[0]).name == "authserver" else ".venv/bin/authserver",
        )
    )


@contextmanager
def _demo_service(demo: Demo) -> Iterator[None]:
    """A process of its own: it shares nothing with the server but the published documents."""
    command = [sys.executable, "-m", "authserver.demo", "--issuer", demo.issuer, "--port", str(demo.port + 1)]
    service = subprocess.Popen(command)
    try:
        yield
    finally:
        service.terminate()
        service.wait(10)


def _serve(settings: Settings, port: int) -> None:
    import uvicorn  # noqa: PLC0415 - as above

    from authserver import logs  # noqa: PLC0415 - as above
    from authserver.app import create_app  # noqa: PLC0415 - as above

    logs.configure(settings.log_format, settings.log_level)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # else uvicorn ends us before the demo service is
    uvicorn.run(
        create_app(settings), host=HOST, port=port, log_config=None, access_log=False, server_header=False
    )
