"""`authserver dev`: a login service to try, on this machine only, with everything it writes in one folder."""

import signal
import socket
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from authserver.cli import example_apps
from authserver.cli.demo_account import DEMO, demo_account
from authserver.cli.example_apps import EXAMPLES, Example
from authserver.settings import Settings, load

if TYPE_CHECKING:
    import uvicorn

HOST: Final = "127.0.0.1"
HIGHEST_PORT: Final = 65_535 - max(example.place for example in EXAMPLES)
STOPPING_TAKES: Final = 0.3
PACKAGE: Final = Path(__file__).parent.parent
CONFIG: Final = """# Written by `authserver dev`, so that the other commands find the same data: `authserver keys list --data {data}`
development = true
issuer = "{issuer}"
allowed_origins = ["{site}", "{page}"]
allow_plaintext_keys = true
log_format = "console"
log_level = "WARNING"
"""
BANNER: Final = """
  authserver {version} is running for development. Stop it with Ctrl-C.

    sign in           {issuer}/login
    demo account      {username}  /  {password}
    your account      {issuer}/account
    public keys       {issuer}/.well-known/jwks.json
    revocation list   {issuer}/revocations
{apps}
  In another terminal:
    {command} keys rotate --data {data}        nobody will notice
    {command} session list --data {data}
"""
APPS: Final = """
  Three apps. Sign in at one, and all know you; they hold no secret, only the public keys:
{rows}
"""


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the login service and the apps listen, and where it keeps its data."""

    data: Path
    port: int

    @property
    def issuer(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def origins(self) -> dict[str, str]:
        """What every app is told: who listens where."""
        apps = {app.origin: f"http://{HOST}:{self.port + app.place}" for app in EXAMPLES}
        return {"LOGIN_SERVICE": self.issuer, **apps}


def dev(
    port: Annotated[
        int,
        typer.Option(
            min=1, max=HIGHEST_PORT, help="Port of the login service; the apps take the next three."
        ),
    ] = 8000,
    data: Annotated[
        Path, typer.Option(envvar="AUTHSERVER_DATA", help="Folder for everything that it writes.")
    ] = Path(".authserver"),
    apps: Annotated[
        bool, typer.Option("--apps/--no-apps", help="Start the three example apps as well.")
    ] = True,
) -> None:
    """Run a login service with demo data and three apps on this machine, to try it.

    Example: authserver dev --port 9000
    """
    demo = Demo(data, port)
    chosen = tuple(app for app in EXAMPLES if apps and not _missing(app))
    _refuse_taken_ports(port, (0, *(app.place for app in chosen)))
    settings = _prepare(demo)
    _migrate(settings)
    _say(demo, demo_account(settings, demo.data), apps=apps)
    _serve(demo, settings, chosen)


def _missing(app: Example) -> str:
    return example_apps.missing(app, example_apps.folder(PACKAGE))


def _refuse_taken_ports(first: int, places: tuple[int, ...]) -> None:
    for place in places:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((HOST, first + place))
            except OSError:
                other = first + 1000 if first + 1000 <= HIGHEST_PORT else first - 1000
                typer.echo(
                    f"Port {first + place} is in use; choose another: authserver dev --port {other}", err=True
                )
                raise typer.Exit(1) from None


def _prepare(demo: Demo) -> Settings:
    """Write the configuration that the other commands read with `--data`, then read it ourselves."""
    demo.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = demo.data / "authserver.toml"
    site, page = demo.origins["FLASK_SITE"], demo.origins["PAGE"]  # nobody is sent back to an API
    config.write_text(
        CONFIG.format(data=demo.data, issuer=demo.issuer, site=site, page=page), encoding="utf-8"
    )
    return load(config, data=demo.data)


def _migrate(settings: Settings) -> None:
    from authserver import schema  # noqa: PLC0415 - the command line loads what a command needs
    from authserver.cli.db import make_private  # noqa: PLC0415 - as above
    from authserver.database import Database  # noqa: PLC0415 - as above

    make_private(settings.data / "authserver.db")
    database = Database(settings.database_address)
    schema.upgrade(database)
    database.close()


def _say(demo: Demo, password: str, *, apps: bool) -> None:
    from authserver import __version__  # noqa: PLC0415 - as above

    rows = (f"    {app.name:16}  {_missing(app) or demo.origins[app.origin] + app.opens}" for app in EXAMPLES)
    typer.echo(
        BANNER.format(
            version=__version__,
            issuer=demo.issuer,
            username=DEMO,
            password=password,
            data=demo.data,
            apps=APPS.format(rows="\n".join(rows)) if apps else "",
            command="authserver" if Path(sys.argv[0]).name == "authserver" else ".venv/bin/authserver",
        )
    )


def _serve(demo: Demo, settings: Settings, chosen: tuple[Example, ...]) -> None:
    """Serve until asked to stop, or until an app has died: half of a demonstration would only puzzle."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # else it ends us before the apps are ended
    deaths: list[str] = []
    server = _server(demo, settings)

    def stop(death: str) -> None:
        time.sleep(STOPPING_TAKES)  # Ctrl-C in a terminal reaches the apps as well as us: that is no death
        if not server.should_exit:
            deaths.append(death)
            signal.raise_signal(signal.SIGTERM)

    folder = example_apps.folder(PACKAGE)
    try:
        with example_apps.running(folder, chosen, demo.origins, stop) if chosen else nullcontext():
            server.run()
    except KeyboardInterrupt:  # uvicorn raises the signal again when it has served the last request
        pass
    for death in deaths:
        typer.echo(f"{death} Everything else was stopped too.", err=True)
    if deaths or not server.started:
        raise typer.Exit(1)


def _server(demo: Demo, settings: Settings) -> "uvicorn.Server":
    import uvicorn  # noqa: PLC0415 - as above

    from authserver import logs  # noqa: PLC0415 - as above
    from authserver.app import create_app  # noqa: PLC0415 - as above

    logs.configure(settings.log_format, settings.log_level)
    return uvicorn.Server(
        uvicorn.Config(
            create_app(settings),
            host=HOST,
            port=demo.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
